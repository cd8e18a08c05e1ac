// Looks at the package as those who install it will: packs it into a temporary directory, then asks what is in it, what
// publint says of its package.json and what attw says of its types. Exit 1 when anything is wrong. Needs a built dist.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = fileURLToPath(new URL('..', import.meta.url))
const DEPENDENCIES_MAX = 4
/** What may lie in the package; everything else got there by mistake. */
const WANTED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/.+\.(js|d\.ts)(\.map)?$/,
  /^src\/.+\.ts$/,
  /^src\/.*(tsconfig\.json|README\.md)$/,
]
const UNWANTED = [/\.(test|spec)\./, /tsbuildinfo/, /(^|\/)(test|node_modules|coverage|data)\//]
const NEEDED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']

function run(command, args) {
  const isScript = process.platform === 'win32'
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', shell: isScript, maxBuffer: 64 * 1024 * 1024 })
  if (result.error) throw result.error
  return result
}

function pack(directory) {
  const { status, stdout, stderr } = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory])
  if (status !== 0) throw new Error(`npm pack ended with ${status}: ${stderr}`)
  const [{ filename, files, size }] = JSON.parse(stdout)
  return { tarball: join(directory, filename), paths: files.map(({ path }) => path), sizeBytes: size }
}

function problemsOfContents(paths) {
  const held = new Set(paths)
  const isWanted = (path) => WANTED.some((pattern) => pattern.test(path)) && !UNWANTED.some((bad) => bad.test(path))
  const sourceOf = (path) => path.replace(/^dist\//, 'src/').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
  return [
    ...paths.filter((path) => !isWanted(path)).map((path) => `${path} has no business in the package`),
    ...NEEDED.filter((path) => !held.has(path)).map((path) => `${path} is missing`),
    ...paths
      .filter((path) => path.startsWith('dist/') && !held.has(sourceOf(path)))
      .map((path) => `${path} is left over from a source that is gone: delete dist and build again`),
    ...paths
      .filter((path) => readFileSync(join(root, path), 'utf8').includes(root.replace(/[\\/]$/, '')))
      .map((path) => `${path} mentions the directory that it was built in`),
  ]
}

function problemsOfManifest() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const names = Object.keys(manifest.dependencies ?? {})
  const loose = names.filter((name) => !/^\d+\.\d+\.\d+$/.test(manifest.dependencies[name]))
  const tooMany = names.length > DEPENDENCIES_MAX ? [`${names.length} dependencies, at most ${DEPENDENCIES_MAX}`] : []
  const hooks = ['preinstall', 'install', 'postinstall', 'prepare'].filter((name) => manifest.scripts?.[name])
  return [
    ...tooMany,
    ...loose.map((name) => `dependency ${name} is not pinned: ${manifest.dependencies[name]}`),
    ...hooks.map((name) => `the script '${name}' would run on the machines of users`),
  ]
}

async function problemsByPublint(tarball) {
  const { buffer } = new Uint8Array(readFileSync(tarball))
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true, level: 'warning' })
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`)
}

function problemsByAttw(tarball) {
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
  const args = [attw, tarball, '--profile', 'esm-only', '--no-color', '--no-emoji', '--format', 'ascii']
  const { status, stdout, stderr } = run(process.execPath, args)
  return status === 0 ? [] : [`attw ended with ${status}:\n${stdout}${stderr}`]
}

const directory = mkdtempSync(join(tmpdir(), 'helios-raft-package-'))
try {
  const { tarball, paths, sizeBytes } = pack(directory)
  const problems = [
    ...problemsOfContents(paths),
    ...problemsOfManifest(),
    ...(await problemsByPublint(tarball)),
    ...problemsByAttw(tarball),
  ]
  for (const problem of problems) console.error(problem)
  console.log(`package: files=${paths.length} sizeBytes=${sizeBytes} problems=${problems.length}`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}
