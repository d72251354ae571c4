import { ServerError } from 'rx-outbox'

/**
 * Reads Server-Sent Events piece by piece: gives the data of each event that is complete. Event types and ids are not
 * looked at: whoever connects again goes on from the last checkpoint.
 *
 * @throws ServerError for an event of more than `most` characters
 */
export function eventParser(request: string, most: number): (text: string) => string[] {
  let rest = ''
  const data: string[] = []
  let isFirst = true

  return (text) => {
    // A byte order mark is none of the first line.
    rest += isFirst ? text.replace(/^\uFEFF/, '') : text
    isFirst &&= rest === ''
    const events: string[] = []
    // A carriage return at the end may be half of a line's end.
    for (let end = /\r\n|\n|\r(?!$)/.exec(rest); end; end = /\r\n|\n|\r(?!$)/.exec(rest)) {
      const line = rest.slice(0, end.index)
      rest = rest.slice(end.index + end[0].length)
      if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
      else if (line === '' && data.length > 0) events.push(data.splice(0).join('\n'))
    }
    if (rest.length + data.join('').length > most)
      throw new ServerError(`${request} has an event of more than ${most} characters`)
    return events
  }
}
