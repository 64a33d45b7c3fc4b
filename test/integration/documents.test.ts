/**
 * Runs what README and docs/ mark as runnable, page by page, in a namespace of its own. The word behind a block's
 * language says how:
 *
 *   yaml apply     the API server takes it, and then it is there for the blocks below
 *   yaml check     the API server takes it
 *   sh run         runs and ends with 0, or with the code of `exit=N`
 *   js run         a program that imports the package, likewise
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { load, loadAll } from 'js-yaml';
import { describe } from 'vitest';
import { collectionOf, type Reference } from '../cluster/rest.ts';
import { type Block, type Page, pages } from '../harness/documents.ts';
import { api, cluster, type Json, job, pod, RestError, test } from '../harness/index.ts';

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** For a block that hangs: neither it nor a wait that it has started outlives the tests. */
const LIMIT_MS = 100_000;

const WAYS: Readonly<Record<string, readonly string[]>> = { yaml: ['apply', 'check'], sh: ['run'], js: ['run'] };

/** What a page takes for granted. */
const GIVEN: Readonly<Record<string, (namespace: string) => readonly Reference[]>> = {
  'docs/api.md': (namespace) => [
    job({ namespace, name: 'migrate' }),
    pod({ namespace, name: 'db-setup', labels: { app: 'db' }, runFor: '1ms' }),
  ],
  'docs/migrating-from-k8s-wait-for.md': (namespace) => [job({ namespace, name: 'migrate' })],
};

const isRunnable = ({ words }: Block): boolean => words.length > 0;

/** Where the blocks of a page run, one after the other. */
class Place {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'kube-await-page-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
    const bin = path.join(this.#folder, 'bin');
    mkdirSync(bin);
    symlinkSync(path.join(ROOT, 'dist', 'kube-await.cjs'), path.join(bin, 'kube-await'));
    for (const name of ['kubectl', 'helm'] as const) symlinkSync(cluster().bin(name), path.join(bin, name));
    const modules = path.join(this.#folder, 'node_modules');
    mkdirSync(modules);
    symlinkSync(ROOT, path.join(modules, 'kube-await'));
    const kubeconfig = path.join(this.#folder, 'kubeconfig');
    const content: Json = load(readFileSync(cluster().kubeconfig, 'utf8'));
    for (const { context } of content.contexts) context.namespace = namespace;
    writeFileSync(kubeconfig, JSON.stringify(content), { mode: 0o600 });
    const PATH = [bin, path.dirname(process.execPath), process.env.PATH].join(path.delimiter);
    this.#env = { PATH, HOME: this.#folder, KUBECONFIG: kubeconfig, KUBE_AWAIT_TIMEOUT: `${LIMIT_MS}ms` };
  }

  leave(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async do(block: Block): Promise<void> {
    switch (`${block.language} ${block.words[0]}`) {
      case 'yaml check':
        return this.#apply(block, '&dryRun=All');
      case 'yaml apply':
        return this.#apply(block, '');
      case 'sh run':
        return this.#run(block, 'bash', ['-euo', 'pipefail', '-c', block.text]);
      case 'js run': {
        const file = path.join(this.#folder, 'page.mjs');
        writeFileSync(file, block.text);
        return this.#run(block, process.execPath, [file]);
      }
      default:
        throw new Error(`${block.where}: expected ${JSON.stringify(WAYS[block.language])} behind ${block.language}`);
    }
  }

  /** Without kubectl, a process for each block being the dearer; unknown fields are refused all the same. */
  async #apply({ where, text }: Block, options: string): Promise<void> {
    for (const object of loadAll(text) as Json[]) {
      const placed = { ...object, metadata: { ...object.metadata, namespace: this.#namespace } };
      await api.post(`${collectionOf(placed)}?fieldValidation=Strict${options}`, placed).catch((error: unknown) => {
        throw error instanceof RestError ? new Error(`${where}: ${error.message}`) : error;
      });
    }
  }

  async #run({ where, words }: Block, file: string, args: readonly string[]): Promise<void> {
    const wanted = Number(/exit=(\d+)/.exec(words.join(' '))?.[1] ?? 0);
    const { code, output } = await this.#start(file, args);
    if (code !== wanted) throw new Error(`${where}: expected exit code ${wanted}, got ${code}\n${output}`);
  }

  async #start(file: string, args: readonly string[]): Promise<{ code: number; output: string }> {
    const running = run(file, args, { cwd: this.#folder, env: this.#env, timeout: LIMIT_MS });
    running.child.stdin?.destroy();
    return running.then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
    );
  }
}

async function follow({ name, blocks }: Page, namespace: string): Promise<void> {
  const place = new Place(namespace);
  try {
    for (const object of GIVEN[name]?.(namespace) ?? []) await api.create(object);
    for (const block of blocks.filter(isRunnable)) await place.do(block);
  } finally {
    place.leave();
  }
}

describe.concurrent('README.md and docs/', () => {
  for (const page of pages().filter(({ blocks }) => blocks.some(isRunnable))) {
    test(`what ${page.name} shows runs`, async ({ ns }) => {
      await follow(page, ns);
    });
  }

  test('what does not end as it says, or is not taken, is found', async ({ ns, expect }) => {
    const place = new Place(ns);
    const block = (language: string, word: string, text: string): Block => ({
      where: 'x.md:1',
      language,
      words: word.split(' '),
      text,
    });
    const failing = [
      block('sh', 'run', 'kube-await job/none --timeout=0'),
      block('sh', 'run exit=124', 'true'),
      block('sh', 'run', 'kube-await job/none --no-such-option'),
      block('js', 'run', `import { waitFor } from 'kube-await'; await waitFor('job/none', { timeout: 0 });`),
      block('yaml', 'check', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: [1]}'),
      block('yaml', 'run', ''),
    ];
    for (const each of failing) await expect(place.do(each), each.text).rejects.toThrow('x.md:1');
    await place.do(block('sh', 'run exit=124', 'kube-await job/none --timeout=0'));
    place.leave();
  });
});
