const preferred = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
const rfc850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/
const asctime = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

/** Epoch ms of one of the three date forms of HTTP; `Date.parse` alone takes nearly everything for a date. */
export function httpDate(text: string | null): number | undefined {
  if (text === null) return undefined
  const known = preferred.test(text) || rfc850.test(text) ? text : asctime.test(text) ? `${text} GMT` : ''
  const time = Date.parse(known)
  return Number.isNaN(time) ? undefined : time
}
