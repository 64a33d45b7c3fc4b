/**
 * Bundles src/main.ts into dist/: what every wait runs, and beside it a file for each part that only some runs need. Fails where
 * a run would load more than it may, since start-up time and memory are what an init container costs. src/index.ts, for
 * programs, becomes lib/: a bundle of its own, so that what the two share is not cut into smaller files for the command.
 *
 *   node scripts/build.ts [--interpreter /nodejs/bin/node]
 *
 * The interpreter is for images that have no /usr/bin/env: its path becomes the first line of the entry.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build, type Metafile, type OutputFile, type Plugin, transform } from 'esbuild';
import { type Part, pack } from './pack.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const ENTRY = 'kube-await.cjs';
/** The chunk of src/main.ts. */
const MAIN = 'kube-await.mjs';
const START = 'src/start.cjs';
/** What scripts/types.ts puts beside the bundle for programs. */
const DECLARATIONS = 'index.d.ts';
/** What programs import. */
const LIBRARY_ENTRY = 'index.js';
const NOTICES = 'THIRD_PARTY_NOTICES.txt';
/** Scanners look for files of this name in packages and images: in a bundle they could find nothing by themselves. */
const BILL_OF_MATERIALS = 'sbom.cdx.json';

const { interpreter } = parseArgs({
  options: { interpreter: { type: 'string', default: '/usr/bin/env node' } },
}).values;

/** In bytes. */
const LIMITS = { inClusterWait: 150 * 1024, all: 550 * 1024 } as const;

/** What only some waits use, and others must not pay for. */
const LAZY_MODULES = /^src\/(report\/(json|live|frame|terminal)|explain\/\w+|command)\.ts$/;

/** The modules that src/main.ts imports when it waits. */
const WAIT_MODULES = ['src/wait-command.ts'];

/**
 * What our dependencies import, but what no run of ours reaches. src/kube/kubeconfig.ts hands KubeConfig neither a
 * proxy nor an API to make a client for, and what yargs lays out is our own help, which is ASCII (the live view does measure foreign text).
 */
const LEFT_OUT: Readonly<Record<string, { importer: RegExp; contents: string }>> = {
  // Not left out, but loaded by the few that start another program only: it takes 2 ms.
  'node:child_process': {
    importer: /client-node/,
    contents: whenCalled('child_process', ['execSync', 'spawn', 'spawnSync']),
  },
  undici: { importer: /client-node/, contents: unused('Agent', 'ProxyAgent') },
  './gen/index.js': { importer: /client-node/, contents: unused('createConfiguration', 'ServerConfiguration') },
  './middleware.js': { importer: /client-node/, contents: unused('setHeaderMiddleware') },
  'socks-proxy-agent': { importer: /client-node/, contents: unused('SocksProxyAgent') },
  socks: { importer: /client-node/, contents: unused('SocksClient') },
  // It would read DEBUG, which wait_for.sh has another meaning for.
  debug: { importer: /socks-proxy-agent/, contents: 'export default () => () => {};' },
  hpagent: { importer: /client-node/, contents: unused('HttpProxyAgent', 'HttpsProxyAgent') },
  'string-width': {
    importer: /\/(yargs|cliui|wrap-ansi)\//,
    contents: 'export default (text) => String(text).length;',
  },
};

const { version, engines } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};

const command = await bundle({ entry: { 'kube-await': 'src/main.ts' }, folder: 'dist', extension: '.mjs' });
const library = await bundle({ entry: { index: 'src/index.ts' }, folder: 'lib', extension: '.js' });

const loaded = loadedBy(command.metafile);
const program = await programOf(command, loaded.wait);
const sizes = {
  // It loads the first two parts.
  inClusterWait: { what: 'a wait in a cluster', bytes: sizeOf(program.slice(0, 2)), most: LIMITS.inClusterWait },
  all: { what: 'all chunks', bytes: sizeOf(program), most: LIMITS.all },
  library: { what: 'lib/, for programs', bytes: sizeOf(filesOf(library)), most: LIMITS.all },
} as const;
const tooLarge = Object.values(sizes).filter(({ bytes, most }) => bytes > most);
const problems = [
  ...check(command.metafile, loaded),
  ...checkText(program),
  ...tooLarge.map(({ what, bytes, most }) => `${what} is ${kib(bytes)}, expected at most ${kib(most)}`),
];
if (tooLarge.length > 0) {
  for (const each of program) console.error(`${kib(sizeOf([each])).padStart(9)}  dist/${each.name}`);
}
for (const problem of problems) console.error(`build: ${problem}`);
if (problems.length > 0) process.exit(1);
write(program, command.metafile, { folder: 'dist', keep: [] });
write(filesOf(library), library.metafile, { folder: 'lib', keep: [DECLARATIONS] });
const shown = ({ bytes, most }: { bytes: number; most: number }): string =>
  `${(bytes / 1024).toFixed(1)} of ${kib(most)}`;
console.log(
  `built dist (${shown(sizes.all)}; a wait in a cluster loads ${shown(sizes.inClusterWait)}) and lib (${shown(sizes.library)})`,
);

interface Bundle {
  readonly entry: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly extension: string;
}

interface Built {
  readonly outputFiles: readonly OutputFile[];
  readonly metafile: Metafile;
}

function bundle({ entry, folder, extension }: Bundle): Promise<Built> {
  return build({
    absWorkingDir: ROOT,
    entryPoints: entry,
    outdir: folder,
    outExtension: { '.js': extension },
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    // So that a package's ES module is taken where it has one as well: only those can be cut down to what is used.
    mainFields: ['module', 'main'],
    define: { __VERSION__: JSON.stringify(version) },
    legalComments: 'none',
    plugins: [leaveOut()],
    metafile: true,
    write: false,
    logLevel: 'warning',
  }).catch(() => {
    // esbuild has printed what is wrong, with the lines around it.
    process.exit(1);
  });
}

function unused(...names: string[]): string {
  const body = `function leftOut() { throw new Error('left out of the bundle'); }`;
  return `${body}\nexport { ${names.map((name) => `leftOut as ${name}`).join(', ')} };`;
}

/** One of Node's modules, with these functions as its default export. */
function whenCalled(name: string, functions: readonly string[]): string {
  const each = functions.map(
    (as) => `${as}: (...args) => process.getBuiltinModule(${JSON.stringify(`node:${name}`)}).${as}(...args)`,
  );
  return `export default { ${each.join(', ')} };`;
}

function leaveOut(): Plugin {
  return {
    name: 'leave-out',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /./ }, ({ path: wanted, importer }) =>
        LEFT_OUT[wanted]?.importer.test(importer) ? { path: wanted, namespace: 'left-out' } : undefined,
      );
      onLoad({ filter: /./, namespace: 'left-out' }, ({ path: wanted }) => ({
        contents: LEFT_OUT[wanted]?.contents ?? '',
      }));
    },
  };
}

/** Chunks, as paths of outputs. */
interface Loaded {
  /** By every run. */
  readonly start: ReadonlySet<string>;
  /** By a wait in a cluster. */
  readonly wait: ReadonlySet<string>;
}

function loadedBy({ outputs }: Metafile): Loaded {
  const withImports = (file: string, found = new Set<string>()): Set<string> => {
    if (found.has(file)) return found;
    found.add(file);
    for (const { path: imported, kind, external } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && external !== true) withImports(imported, found);
    }
    return found;
  };
  const start = withImports(`dist/${MAIN}`);
  const wait = new Set(start);
  for (const module of WAIT_MODULES) {
    const file = Object.keys(outputs).find((each) => outputs[each]?.entryPoint === module);
    if (file === undefined) throw new Error(`src/main.ts does not import ${module} any more; see WAIT_MODULES`);
    withImports(file, wait);
  }
  return { start, wait };
}

/** What runs: a start, the chunks that every wait needs in one file, and the others beside it. */
async function programOf(built: Built, wait: ReadonlySet<string>): Promise<Part[]> {
  const chunks = built.outputFiles.map(({ path: file, text }) => ({
    name: path.basename(file),
    text,
    where: wait.has(path.relative(ROOT, file)) ? ('core' as const) : ('own file' as const),
  }));
  const [core, ...others] = await pack(chunks);
  if (core === undefined) throw new Error('there is no core');
  const texts = {
    CORE: path.basename(core.name, '.cjs'),
    ENTRY: `./${MAIN}`,
    OLDEST: engines.node.replace(/^>=/, ''),
  };
  const { code } = await transform(readFileSync(path.join(ROOT, START), 'utf8'), {
    define: Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, JSON.stringify(value)])),
    minify: true,
    target: 'node22',
  });
  return [{ name: ENTRY, text: `#!${interpreter}\n${code}` }, core, ...others];
}

function filesOf({ outputFiles }: Built): Part[] {
  return outputFiles.map(({ path: file, text }) => ({ name: path.basename(file), text: header(text) + text }));
}

/** The total size of some parts, in bytes. */
function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { text }) => sum + Buffer.byteLength(text, 'utf8'), 0);
}

/** Returns a message for each part that is not pure ASCII, because src/start.cjs reads the parts as ASCII. */
function checkText(parts: readonly Part[]): string[] {
  return parts.flatMap(({ name, text }) => {
    const odd = /[^\t\n\x20-\x7e]/.exec(text)?.[0];
    return odd === undefined ? [] : [`dist/${name} has ${JSON.stringify(odd)}, expected ASCII only`];
  });
}

/** Gives a line for each thing that a kind of run loads and must not. */
function check({ outputs }: Metafile, { start, wait }: Loaded): string[] {
  const problems: string[] = [];
  const builtins = (files: ReadonlySet<string>): string[] =>
    [...files].flatMap((file) =>
      (outputs[file]?.imports ?? [])
        .filter(({ kind, external }) => external === true && kind !== 'dynamic-import')
        .map(({ path: imported }) => imported.replace(/^node:/, '')),
    );
  const modules = (files: ReadonlySet<string>): string[] =>
    [...files].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
  const packages = (files: ReadonlySet<string>): string[] => modules(files).flatMap((input) => packageOf(input) ?? []);
  const never = (what: string, found: readonly string[], unwanted: RegExp): void => {
    for (const each of new Set(found)) if (unwanted.test(each)) problems.push(`${what} loads ${each}`);
  };
  never('kube-await --version', packages(start), /./);
  never('kube-await --version', builtins(start), /^(https?|tls|net|crypto|zlib|child_process)$/);
  never('a wait in a cluster', packages(wait), /./);
  never('a wait in a cluster', modules(wait), LAZY_MODULES);
  never('a wait in a cluster', builtins(wait), /^(zlib|child_process)$/);
  return problems;
}

/** Whole files only, and the entry last, so that a run that starts meanwhile never finds half of a build. */
function write(
  parts: readonly Part[],
  metafile: Metafile,
  { folder, keep }: { folder: string; keep: readonly string[] },
): void {
  const dir = path.join(ROOT, folder);
  mkdirSync(dir, { recursive: true });
  const isEntry = ({ name }: Part): boolean => name === ENTRY || name === LIBRARY_ENTRY;
  const entryLast = [...parts].sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)));
  for (const { name, text } of entryLast) put(path.join(dir, name), text, name === ENTRY ? 0o755 : 0o644);
  const packages = packagesOf(metafile);
  put(path.join(dir, NOTICES), packages.map(notice).join('\n'), 0o644);
  put(path.join(dir, BILL_OF_MATERIALS), billOfMaterials(packages), 0o644);
  const current = new Set([NOTICES, BILL_OF_MATERIALS, ...keep, ...parts.map(({ name }) => name)]);
  for (const name of readdirSync(dir)) {
    if (!current.has(name)) rmSync(path.join(dir, name), { recursive: true });
  }
}

function put(file: string, content: string, mode: number): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, content);
  chmodSync(draft, mode);
  renameSync(draft, file);
}

/** A chunk with CommonJS in it needs a `require`, which an ES module does not have by itself. */
function header(text: string): string {
  if (!text.includes('Dynamic require of "')) return '';
  return 'import{createRequire as $createRequire}from"node:module";const require=$createRequire(import.meta.url);\n';
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
  /** The text of its licence. */
  readonly text: string | undefined;
}

/** The packages that a bundle has something of. */
function packagesOf({ inputs }: Metafile): readonly Package[] {
  const folders = new Set(Object.keys(inputs).flatMap((input) => packageOf(input) ?? []));
  return [...folders].map(packageIn).sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

function packageIn(folder: string): Package {
  const dir = path.join(ROOT, folder);
  const { name, version, license } = JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8'));
  const file = readdirSync(dir).find((each) => /^(licen[cs]e|copying)/i.test(each));
  return { name, version, license, text: file === undefined ? undefined : readFileSync(path.join(dir, file), 'utf8') };
}

/** Most licences ask that they go along with what is copied. */
function notice({ name, version, license, text }: Package): string {
  return `${name} ${version} (${license ?? 'see below'})\n${text === undefined ? '' : `\n${text.trim()}\n`}\n${'-'.repeat(80)}\n`;
}

/** What the bundle is made of, as CycloneDX has it. https://cyclonedx.org/docs/1.5/json/ */
function billOfMaterials(packages: readonly Package[]): string {
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      component: { type: 'application', ...component({ name: 'kube-await', version, license: 'Apache-2.0' }) },
    },
    components: packages.map((each) => ({ type: 'library', ...component(each) })),
  };
  return `${JSON.stringify(bill, undefined, 1)}\n`;
}

function component({ name, version, license }: Omit<Package, 'text'>): Readonly<Record<string, unknown>> {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { 'bom-ref': purl, name, version, purl, ...(license && { licenses: [{ license: { id: license } }] }) };
}

/** The folder of the package that an input belongs to; undefined for our own. */
function packageOf(input: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}

function kib(bytes: number): string {
  return `${Number((bytes / 1024).toFixed(1))} KiB`;
}
