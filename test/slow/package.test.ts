/**
 * The package as npm would publish it, installed in an empty folder without a network: its files, the command, and what
 * programs import. On this Node, and on those of KUBE_AWAIT_TEST_NODES (`npm run test:package` finds some).
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe } from 'vitest';
import { api, cluster, type Json, job, test } from '../harness/index.ts';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
const NODES = [process.execPath, ...(process.env.KUBE_AWAIT_TEST_NODES ?? '').split(path.delimiter).filter(Boolean)];

const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-package-'));
const app = path.join(folder, 'app');
let packed: { readonly filename: string; readonly files: readonly { readonly path: string; readonly mode: number }[] };

beforeAll(async () => {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  packed = firstOf(JSON.parse((await run('npm', pack, { cwd: ROOT })).stdout));
  mkdirSync(app);
  writeFileSync(path.join(app, 'package.json'), '{"name":"app","private":true,"type":"module"}');
  const install = ['install', '--offline', '--no-audit', '--no-fund', path.join(folder, packed.filename)];
  await run('npm', install, { cwd: app });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** npm prints a list, or since npm 12 an object by name. */
function firstOf(printed: typeof packed | Record<string, typeof packed> | readonly (typeof packed)[]): typeof packed {
  const [first] = Object.values(printed);
  if (first === undefined || !('files' in first)) throw new Error('npm pack printed no package');
  return first;
}

/** Runs a program of the folder with that Node, as its user would. */
async function program(node: string, text: string): Promise<{ readonly code: number; readonly stdout: string }> {
  const file = path.join(mkdtempSync(path.join(app, 'run-')), 'main.js');
  writeFileSync(file, text);
  const env = { PATH: process.env.PATH, KUBECONFIG: cluster().kubeconfig };
  return run(node, [file], { cwd: app, env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout, stderr }) => ({ code, stdout: stdout + stderr }),
  );
}

describe.concurrent('the packed package', () => {
  test('holds the two bundles and what npm always adds', ({ expect }) => {
    const names = packed.files.map(({ path: name }) => name);
    const own = names.filter((name) => !/^(dist\/[\w-]+\.cjs|lib\/[\w-]+\.js)$/.test(name));
    expect(own.sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist/THIRD_PARTY_NOTICES.txt',
      'dist/sbom.cdx.json',
      'lib/THIRD_PARTY_NOTICES.txt',
      'lib/index.d.ts',
      'lib/sbom.cdx.json',
      'package.json',
    ]);
    const programs = packed.files.filter(({ mode }) => (mode & 0o111) !== 0).map(({ path: name }) => name);
    expect(programs).toEqual(['dist/kube-await.cjs']);
  });

  test('installs nothing but itself', ({ expect }) => {
    expect(readdirSync(path.join(app, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['kube-await']);
  });

  test('says what its bundles are made of, and in which version', ({ expect }) => {
    const read = (file: string): string => readFileSync(path.join(app, 'node_modules', 'kube-await', file), 'utf8');
    const locked: Json = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;
    for (const folder of ['dist', 'lib']) {
      const { metadata, components }: Json = JSON.parse(read(`${folder}/sbom.cdx.json`));
      expect(metadata.component).toMatchObject({ name: 'kube-await', version });
      expect(components.map(({ name }: Json) => name)).toContain('@kubernetes/client-node');
      for (const { name, version: used, purl } of components) {
        const versions = Object.entries<Json>(locked).flatMap(([where, { version: one }]) =>
          where.endsWith(`node_modules/${name}`) ? [one] : [],
        );
        expect(versions, name).toContain(used);
        expect(decodeURIComponent(purl)).toBe(`pkg:npm/${name}@${used}`);
        expect(read(`${folder}/THIRD_PARTY_NOTICES.txt`)).toContain(`${name} ${used} (`);
      }
    }
  });

  test('publint has nothing to say', async ({ expect }) => {
    const tarball = readFileSync(path.join(folder, packed.filename));
    const copy = new Uint8Array(tarball).buffer;
    const { messages, pkg } = await publint({ pack: { tarball: copy }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  test('its types are those of a program that checks strictly', async ({ expect }) => {
    const checked = path.join(app, 'checked');
    mkdirSync(checked);
    writeFileSync(path.join(checked, 'main.ts'), TYPED);
    const options = {
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      noEmit: true,
      exactOptionalPropertyTypes: true,
    };
    writeFileSync(path.join(checked, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...options, types: [] } }));
    const tsc = path.join(ROOT, 'node_modules', '.bin', 'tsc');
    const { stdout } = await run(tsc, ['-p', checked]).catch((error) => error);
    expect(stdout).toBe('');
  });

  for (const node of NODES) {
    describe.concurrent(`on Node ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`, () => {
      test('npx runs the command, and it says the version of package.json', async ({ expect }) => {
        const PATH = `${path.dirname(node)}${path.delimiter}${process.env.PATH}`;
        const { stdout } = await run('npx', ['--no-install', 'kube-await', '--version'], {
          cwd: app,
          env: { ...process.env, PATH },
        });
        expect(stdout).toBe(`${version}\n`);
      });

      test('the command waits', async ({ ns, kubeAwait, expect }) => {
        await api.create(job({ namespace: ns, name: 'migrate' }));
        const installed = path.join(app, 'node_modules', '.bin', 'kube-await');
        const { code, stdout } = await kubeAwait(['job/migrate'], { command: [node, installed] }).exit;
        expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/migrate reached: Complete, 1/1 succeeded\n' });
      });

      test('as wait_for.sh too', async ({ ns, kubeAwait, expect }) => {
        await api.create(job({ namespace: ns, name: 'migrate' }));
        const installed = path.join(app, 'node_modules', '.bin', 'wait_for.sh');
        const { code, stdout } = await kubeAwait(['job', 'migrate'], { command: [node, installed] }).exit;
        expect(code).toBe(0);
        expect(stdout).toContain('job migrate');
      });

      test('a program waits', async ({ ns, expect }) => {
        await api.create(job({ namespace: ns, name: 'migrate' }));
        const text = `import { waitFor } from 'kube-await';
          const { results } = await waitFor('job/migrate', { namespace: '${ns}' });
          console.log(results[0].message);`;
        expect(await program(node, text)).toEqual({ code: 0, stdout: 'Complete, 1/1 succeeded\n' });
      });

      test('require() finds it as well', async ({ expect }) => {
        const text = `import { createRequire } from 'node:module';
          const { waitFor, WaitUsageError } = createRequire(import.meta.url)('kube-await');
          await waitFor('job').catch((error) => console.log(error instanceof WaitUsageError));`;
        expect(await program(node, text)).toEqual({ code: 0, stdout: 'true\n' });
      });

      test('a program that aborts its wait ends by itself', async ({ ns, expect }) => {
        const text = `import { waitFor } from 'kube-await';
          const stop = new AbortController();
          const onEvent = () => stop.abort(new Error('enough'));
          await waitFor('job/none', { namespace: '${ns}', signal: stop.signal, onEvent }).catch(({ message }) => console.log(message));`;
        expect(await program(node, text)).toEqual({ code: 0, stdout: 'enough\n' });
      });
    });
  }
});

/** Each line here is one that its types allow, or one that they must refuse. */
const TYPED = `
import { type Outcome, type WaitError, type WaitEvent, WaitFailedError, waitFor } from 'kube-await';

export async function all(signal: AbortSignal): Promise<string | undefined> {
  const outcome: Outcome = await waitFor(['job/a', { kind: 'pod', labelSelector: 'a=b' }], { signal, timeout: '5m' });
  return outcome.results[0]?.uid;
}
export function told(event: WaitEvent): string {
  if (event.event === 'changed') return event.target ?? event.resource;
  return event.event === 'failed' ? (event.pods?.[0]?.containers[0]?.name ?? '') : event.message;
}
export function why(error: WaitError): number {
  switch (error.kind) {
    case 'failed': return error.results.length;
    case 'timeout': return error.results.length;
    case 'refused': return error.refusal.lacking?.length ?? 0;
    case 'usage': return error.exitCode;
  }
}
export const failed = (error: unknown): boolean => error instanceof WaitFailedError;
// @ts-expect-error neither a name nor a selector
void waitFor({ kind: 'job' });
// @ts-expect-error no such option
void waitFor('job/a', { timeuot: '5m' });
// @ts-expect-error no such word
void waitFor('job/a', { onMissing: 'ignore' });
`;
