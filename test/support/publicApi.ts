import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { doors } from '../../scripts/doors.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Everything the doors export, a line each, as the compiler sees it: functions with their signatures, others by kind. */
export function publicApi(): string {
  const { config } = ts.readConfigFile(`${root}/tsconfig.lib.json`, (path) => ts.sys.readFile(path)) as {
    config: unknown
  }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(
    Object.values(doors).map((file) => `${root}/${file}`),
    options,
  )
  const checker = program.getTypeChecker()
  return Object.entries(doors)
    .map(([door, file]) => {
      const source = program.getSourceFile(`${root}/${file}`)
      const module = source && checker.getSymbolAtLocation(source)
      const symbols = module ? checker.getExportsOfModule(module) : []
      return [
        door,
        ...symbols
          .flatMap((symbol) => described(symbol, checker))
          .map((line) => `  ${line}`)
          .sort(),
      ].join('\n')
    })
    .join('\n\n')
    .concat('\n')
}

function described(exported: ts.Symbol, checker: ts.TypeChecker): string | string[] {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  const { name } = exported
  if (symbol.flags & ts.SymbolFlags.Class) return `class ${name}`
  if (symbol.flags & ts.SymbolFlags.Function) return signatures(symbol, checker).map((one) => `function ${name}${one}`)
  if (symbol.flags & ts.SymbolFlags.Variable) {
    const type = checker.typeToString(checker.getTypeOfSymbol(symbol), undefined, ts.TypeFormatFlags.NoTruncation)
    return `const ${name}: ${type}`
  }
  if (symbol.flags & ts.SymbolFlags.Interface) return `interface ${name}`
  if (symbol.flags & ts.SymbolFlags.TypeAlias) return `type ${name}`
  return `unknown ${name}`
}

function signatures(symbol: ts.Symbol, checker: ts.TypeChecker): string[] {
  return checker
    .getTypeOfSymbol(symbol)
    .getCallSignatures()
    .map((one) => checker.signatureToString(one, undefined, ts.TypeFormatFlags.NoTruncation))
}
