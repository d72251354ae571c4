/** One text for (name, owner): the first slash parts them, whatever they contain. */
export function spaceOf(name: string, owner: string): string {
  return `${name.replace(/[%/]/g, (char) => (char === '/' ? '%2F' : '%25'))}/${owner}`
}
