/** What a run loads: an init container pays for each module before it asks its first question. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe } from 'vitest';
import { type Run, type RunOptions, test } from '../harness/index.ts';

/** Says, as the process ends, which modules of Node's own and which files it has loaded. */
const recorder = `import fs from 'node:fs';
  const files = [];
  const { readFileSync } = fs;
  fs.readFileSync = (file, ...rest) => { files.push(String(file)); return readFileSync(file, ...rest); };
  process.on('exit', () => {
    fs.writeSync(2, 'LOADED ' + JSON.stringify({ builtins: process.moduleLoadList, files }) + '\\n');
  });`;
/** An environment in which this runs before the program, and in which no kubeconfig is. */
const preloaded = (code: string): Readonly<Record<string, string>> => ({
  HOME: '/nonexistent',
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}`,
});
const env = preloaded(recorder);

interface Loaded {
  readonly code: number | null;
  readonly builtins: readonly string[];
  /** Names of the files of dist, without what a new build changes in them. */
  readonly files: readonly string[];
}

async function loadedBy(
  start: (args: readonly string[], options: RunOptions) => Run,
  args: readonly string[],
): Promise<Loaded> {
  const { code, stderr } = await start(args, { kubeconfig: 'none', env }).exit;
  const line = stderr.split('\n').find((text) => text.startsWith('LOADED ')) ?? 'LOADED {}';
  const { builtins, files } = JSON.parse(line.slice('LOADED '.length)) as Loaded;
  const names = files.map((file) => file.replace(/.*\//, '').replace(/(-[A-Z0-9]{8})?\.cjs$/, ''));
  // V8's compiled code lies beside its file.
  return { code, builtins, files: names.filter((name) => !/\.cjs\.v[\d.]+-/.test(name)) };
}

const heavy = /^NativeModule (tls|https?|crypto|http2|zlib|child_process|internal\/tls\/.+)$/;

describe.concurrent('what is loaded', () => {
  test('--version: what every run has, and neither client-node nor TLS', async ({ bare, expect }) => {
    const { code, builtins, files } = await loadedBy(bare, ['--version']);
    expect(code).toBe(0);
    expect(files).toEqual(['kube-await', 'core']);
    expect(builtins.filter((name) => heavy.test(name))).toEqual([]);
  });

  test('a usage error: the same', async ({ bare, expect }) => {
    const { code, builtins, files } = await loadedBy(bare, ['job/x', '--timeout=10']);
    expect(code).toBe(2);
    expect(files).toEqual(['kube-await', 'core']);
    expect(builtins.filter((name) => heavy.test(name))).toEqual([]);
  });

  test('--help: yargs, and no way to a cluster', async ({ bare, expect }) => {
    const { code, builtins, files } = await loadedBy(bare, ['--help']);
    expect(code).toBe(0);
    expect(files.filter((name) => /^kubeconfig$/.test(name))).toEqual([]);
    expect(builtins.filter((name) => heavy.test(name))).toEqual([]);
  });

  test('a wait without a kubeconfig: neither the kubeconfig code nor yargs', async ({
    bare,
    onTestFinished,
    expect,
  }) => {
    const list = { kind: 'JobList', apiVersion: 'batch/v1', metadata: { resourceVersion: '1' }, items: [] };
    const server = createServer((_, response) => response.end(JSON.stringify(list)));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const args = ['job/x', '--timeout=0', '--server', `http://127.0.0.1:${port}`];
    const { code, files } = await loadedBy(bare, args);
    expect(code).toBe(124);
    expect(files).toContain('core');
    expect(files.filter((name) => /^(kubeconfig|yargs|help)$/.test(name))).toEqual([]);
  });
});

describe.concurrent('Node', () => {
  for (const [version, verdict] of [
    ['20.20.2', 'is too old'],
    ['22.9.0', 'is too old'],
    ['22.14.1', 'is too old'],
    ['22.15.0', 'is new enough'],
    ['24.0.0', 'is new enough'],
  ]) {
    test(`${version} ${verdict}`, async ({ bare, expect }) => {
      const fake = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
      const { code, stdout, stderr } = await bare(['--version'], { kubeconfig: 'none', env: preloaded(fake) }).exit;
      expect({ code, stdout, stderr }).toEqual(
        verdict === 'is too old'
          ? { code: 2, stdout: '', stderr: `kube-await: Node ${version} is too old: expected 22.15 or newer\n` }
          : { code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' },
      );
    });
  }
});
