/** @throws TypeError that names what is missing, or wrong */
export function checkStrategies(strategies: object): void {
  if (typeof strategies !== 'object' || strategies === null)
    throw new TypeError('strategies has to be an object: one strategy per entity type.')
  for (const [type, strategy] of Object.entries(strategies)) {
    for (const method of ['persistCreate', 'persistUpdate', 'persistDelete']) {
      if (typeof Reflect.get(Object(strategy), method) !== 'function') {
        throw new TypeError(`strategies.${type}.${method} has to be a function.`)
      }
    }
    const window: unknown = Reflect.get(strategy, 'keyWindow')
    if (window !== undefined && !(typeof window === 'number' && window >= 0)) {
      throw new TypeError(`strategies.${type}.keyWindow has to be milliseconds: a number from 0 up.`)
    }
    const merges: unknown = Reflect.get(strategy, 'merges')
    if (merges !== undefined && merges !== true)
      throw new TypeError(`strategies.${type}.merges has to be true, or left out.`)
  }
}
