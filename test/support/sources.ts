import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A file as the rules of the house see it. Paths are relative to the root, with slashes. */
export interface Source {
  path: string
  lines: number
  ast: ts.SourceFile
  /** Relative imports as paths, others as they are written; types count as well. */
  imports: string[]
}

/** The .ts and .vue files below a folder. Of a .vue file the script is read. */
export function sourcesOf(folder: string): Source[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    .filter((path) => /\.(ts|vue)$/.test(path) && !/(^|\/)(dist|node_modules|\.data)\//.test(path))
    .sort()
    .map(read)
}

function read(path: string): Source {
  const whole = readFileSync(join(root, path), 'utf8')
  const script = path.endsWith('.vue') ? (/<script[^>]*>([\s\S]*?)<\/script>/.exec(whole)?.[1] ?? '') : whole
  const ast = ts.createSourceFile(path, script, ts.ScriptTarget.Latest, true)
  const imports = ts
    .preProcessFile(script, true, true)
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith('.') ? posix.join(posix.dirname(path), fileName) : fileName,
    )
  return { path, lines: whole.trimEnd().split('\n').length, ast, imports }
}

/** Names used as values that nothing in the file itself declares: globals. `Date` only where it is read as a clock. */
export function globalsOf({ ast }: Source): Set<string> {
  const used = new Set<string>()
  const declared = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
      used.add('Date.now')
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText()
      if (['Date.now', 'Math.random'].includes(text)) used.add(text)
      visit(node.expression)
      return
    }
    if (ts.isPropertyAssignment(node)) {
      visit(node.initializer)
      return
    }
    if (ts.isIdentifier(node)) (isDeclaration(node) ? declared : used).add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ast)
  return new Set([...used].filter((name) => !declared.has(name)))
}

function isDeclaration(name: ts.Identifier): boolean {
  const { parent } = name
  return (
    (ts.isVariableDeclaration(parent) ||
      ts.isParameter(parent) ||
      ts.isBindingElement(parent) ||
      ts.isFunctionDeclaration(parent) ||
      ts.isClassDeclaration(parent) ||
      ts.isClassElement(parent) ||
      ts.isImportSpecifier(parent) ||
      ts.isImportClause(parent) ||
      ts.isTypeElement(parent)) &&
    parent.name === name
  )
}

/** The names a file imports from a package. */
export function importedFrom({ ast }: Source, name: string): string[] {
  return ast.statements
    .filter(ts.isImportDeclaration)
    .filter(({ moduleSpecifier }) => ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text === name)
    .flatMap(({ importClause }) => {
      const bindings = importClause?.namedBindings
      return bindings && ts.isNamedImports(bindings)
        ? bindings.elements.map((one) => (one.propertyName ?? one.name).text)
        : []
    })
}

/** Calls of the functions named, as text. */
export function callsOf({ ast }: Source, names: readonly string[]): string[] {
  const calls: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && names.includes(node.expression.getText())) calls.push(node.getText())
    ts.forEachChild(node, visit)
  }
  visit(ast)
  return calls
}

/** The circles among files that import each other, each as `a > b > a`. */
export function circlesOf(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const done = new Set<string>()
  const circles: string[] = []
  const walk = (path: string, trail: string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) circles.push([...trail.slice(start), path].join(' > '))
    if (start >= 0 || done.has(path)) return
    for (const next of byPath.get(path)?.imports ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const { path } of sources) walk(path, [])
  return circles
}
