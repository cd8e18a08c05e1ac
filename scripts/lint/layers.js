// The arrows of the architecture as a lint rule: which folder of src may import which, by value or as types only, and
// who may use Node's own modules. It resolves each specifier against the file that it stands in, so that no spelling of
// a path gets around it. Everything that is not allowed in ARROWS is refused. Source: docs/explanation/architecture.md.
import { dirname, relative, resolve, sep } from 'node:path'

/** What runs in a browser too uses neither Node's modules nor its globals. */
const BROWSER_SAFE = false
const NODE_ONLY = true

/**
 * First match wins. `values` may be imported as they are, `types` only by `import type`; a zone may always import
 * itself. `packages` are the bare specifiers allowed beside `node:*`.
 */
export const ARROWS = [
  { zone: 'core', values: [], types: [], packages: [], builtins: BROWSER_SAFE },
  { zone: 'interfaces', values: [], types: ['core'], packages: [], builtins: BROWSER_SAFE },
  { zone: 'errors.ts', values: [], types: ['core'], packages: [], builtins: BROWSER_SAFE },
  {
    zone: 'codec',
    // The one payload that the core understands has its format there.
    values: ['errors.ts', 'core/configuration.ts', 'core/configuration-codec.ts'],
    types: ['core', 'interfaces'],
    packages: ['msgpackr'],
    builtins: NODE_ONLY,
  },
  {
    zone: 'stores/memory',
    values: ['codec', 'errors.ts', 'stores/*.ts'],
    types: ['core', 'interfaces'],
    packages: [],
    builtins: BROWSER_SAFE,
  },
  {
    zone: 'stores/level',
    values: ['codec', 'errors.ts', 'stores/*.ts', 'stores/files'],
    types: ['core', 'interfaces'],
    packages: ['level', 'abstract-level', 'classic-level'],
    builtins: NODE_ONLY,
  },
  {
    zone: 'stores/files',
    values: ['codec', 'errors.ts', 'stores/*.ts'],
    types: ['core', 'interfaces'],
    packages: [],
    builtins: NODE_ONLY,
  },
  {
    zone: 'stores/*.ts',
    values: ['codec', 'errors.ts'],
    types: ['core', 'interfaces'],
    packages: [],
    builtins: BROWSER_SAFE,
  },
  {
    zone: 'transports/memory',
    values: ['codec', 'errors.ts'],
    types: ['core', 'interfaces'],
    packages: [],
    builtins: BROWSER_SAFE,
  },
  {
    zone: 'transports/tcp',
    values: ['codec', 'errors.ts'],
    types: ['core', 'interfaces'],
    packages: [],
    builtins: NODE_ONLY,
  },
  {
    zone: 'node',
    values: ['core', 'codec', 'errors.ts'],
    types: ['interfaces'],
    packages: ['eventemitter3'],
    builtins: BROWSER_SAFE,
  },
  {
    zone: 'index.ts',
    values: ['node', 'codec', 'errors.ts', 'stores/memory', 'transports/memory'],
    types: ['core', 'interfaces'],
    packages: [],
    builtins: BROWSER_SAFE,
  },
  {
    zone: 'testing',
    values: ['core', 'interfaces', 'errors.ts', 'codec', 'stores', 'transports', 'node', 'index.ts'],
    types: [],
    packages: ['fast-check'],
    builtins: NODE_ONLY,
  },
]

/** `node/inbox.ts` lies in `node`; `stores/shape.ts` in `stores/*.ts`, as `stores/memory/log.ts` does not. */
function liesIn(path, zone) {
  if (zone.endsWith('/*.ts')) return dirname(path) === zone.slice(0, -'/*.ts'.length)
  return path === zone || path.startsWith(`${zone}/`)
}

function inSrc(root, file) {
  const path = relative(resolve(root, 'src'), file).split(sep).join('/')
  return path.startsWith('..') ? null : path
}

/** Why `specifier` may not stand in `file`, or null. */
export function refusal({ root, file, specifier, isTypeOnly }) {
  const from = inSrc(root, file)
  const arrow = ARROWS.find(({ zone }) => from !== null && liesIn(from, zone))
  if (arrow === undefined) return `${from} lies in no layer: give it one in scripts/lint/layers.js`
  if (!specifier.startsWith('.')) return refusalOfPackage(arrow, specifier, isTypeOnly)
  const target = inSrc(root, resolve(dirname(file), specifier).replace(/\.js$/, '.ts'))
  if (target === null) return `${arrow.zone} must not import '${specifier}', which lies outside src`
  if (liesIn(target, arrow.zone)) return null
  if (arrow.values.some((zone) => liesIn(target, zone))) return null
  if (!arrow.types.some((zone) => liesIn(target, zone))) return `${arrow.zone} must not import ${target}`
  return isTypeOnly ? null : `${arrow.zone} may import only types from ${target}: use 'import type'`
}

function refusalOfPackage(arrow, specifier, isTypeOnly) {
  if (specifier.startsWith('node:')) {
    return arrow.builtins ? null : `${arrow.zone} must not import '${specifier}': it has to run without Node`
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (arrow.packages.includes(name)) return null
  return `${arrow.zone} must not import ${isTypeOnly ? 'types of ' : ''}the package '${specifier}'`
}

function isTypeImport(node) {
  if ((node.importKind ?? node.exportKind) === 'type') return true
  const specifiers = node.specifiers ?? []
  return specifiers.length > 0 && specifiers.every((each) => (each.importKind ?? each.exportKind) === 'type')
}

/** ESLint rule: every import, export-from, import() and import type obeys ARROWS. */
export const layers = {
  meta: { type: 'problem', docs: { description: 'imports go down the layers only' }, schema: [] },
  create(context) {
    function check(source, isTypeOnly) {
      if (source === null || source === undefined) return
      if (typeof source.value !== 'string') {
        context.report({ node: source, message: 'an import has a literal specifier' })
        return
      }
      const specifier = source.value
      const message = refusal({ root: context.cwd, file: context.filename, specifier, isTypeOnly })
      if (message !== null) context.report({ node: source, message })
    }
    return {
      ImportDeclaration: (node) => check(node.source, isTypeImport(node)),
      ExportNamedDeclaration: (node) => check(node.source, isTypeImport(node)),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === 'type'),
      ImportExpression: (node) => check(node.source, false),
      TSImportType: (node) => check(node.source ?? node.argument?.literal, true),
    }
  },
}

/** ESLint rule: what plays the user (examples, benchmarks, integration and package tests) never reaches into src or dist. */
export const publicOnly = {
  meta: { type: 'problem', docs: { description: 'the library is imported by its public subpaths' }, schema: [] },
  create(context) {
    function check(source) {
      if (typeof source?.value !== 'string' || !source.value.startsWith('.')) return
      const path = relative(context.cwd, resolve(dirname(context.filename), source.value))
      if (!/^(src|dist)(\/|$)/.test(path.split(sep).join('/'))) return
      const message = `import the library as 'helios-raft' or one of its subpaths, as a user would, not '${source.value}'`
      context.report({ node: source, message })
    }
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
    }
  },
}
