/** The image by itself, as `docker run` starts it, without a cluster around it or with a kubeconfig of one. */
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe } from 'vitest';
import { addedBytes, type ContainerOptions, type Ended, findEngine } from './engine.ts';
import {
  allow,
  api,
  containerOf,
  e2e,
  images,
  jobOf,
  kubectl,
  logOf,
  pod,
  podOf,
  shell,
  test,
  waitsWith,
} from './harness.ts';
import { VERSION } from './setup.ts';

const engine = findEngine(e2e().engine);
const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-image-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (args: readonly string[], options: Omit<ContainerOptions, 'args'> = {}): Promise<Ended> =>
  engine.run(images().own, { args, ...options });

const KUBECONFIG = '/kubeconfig';

/** As the README makes one: whole, for one context. */
async function flattened(): Promise<string> {
  return await kubectl(['config', 'view', '--raw', '--flatten', '--minify']);
}

interface Mounted {
  readonly user?: number;
  readonly mode?: number;
  readonly network?: 'host' | 'bridge';
}

let count = 0;

/** kube-await with this kubeconfig, mounted from a file of user 4711. */
async function withKubeconfig(text: string, args: readonly string[], options: Mounted = {}): Promise<Ended> {
  const { user = 4711, mode = 0o600, network = 'host' } = options;
  count += 1;
  const file = path.join(folder, `kubeconfig-${count}`);
  writeFileSync(file, text);
  chownSync(file, 4711, 4711);
  chmodSync(file, mode);
  return await run(args, { user, network, mounts: { [file]: KUBECONFIG }, env: { KUBECONFIG } });
}

/** A kubeconfig like that of the cluster, but for this change of its text. */
const changed = async (from: RegExp, to: string): Promise<string> => {
  const text = await flattened();
  if (!from.test(text)) throw new Error(`the kubeconfig has no ${from}`);
  return text.replace(from, to);
};

const LINE = /^kube-await: [^\n]+\n$/;

describe.concurrent('docker run, without a cluster', () => {
  test('--version', async ({ expect }) => {
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('--help', async ({ expect }) => {
    const { code, stdout, stderr } = await run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^kube-await \[options\] TARGET/);
  });

  test.for([[['check', 'job/migrate']], [['job/migrate']]])(
    '%j: says that no cluster is configured',
    async ([args], { expect }) => {
      const { code, stdout, stderr } = await run(args ?? []);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(LINE);
      expect(stderr).toContain('no cluster is configured');
    },
  );

  test('nothing to do: what it would take', async ({ expect }) => {
    const { code, stderr } = await run([]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--help/);
  });

  test('any user will do, and nothing is written', async ({ expect }) => {
    // The root is read-only in each of these runs.
    expect(await run(['--version'], { user: 4711 })).toMatchObject({ code: 0 });
  });
});

describe.concurrent('docker run, with a kubeconfig', () => {
  test('flattened, with --user and --network host: check and wait', async ({ ns, expect }) => {
    const text = await flattened();
    const checked = await withKubeconfig(text, ['check', 'job/one', '-n', ns]);
    expect(checked, checked.stderr).toMatchObject({ code: 0 });
    expect(checked.stdout).toContain('job/one');
    await api.create(jobOf({ namespace: ns, name: 'one', containers: [shell(images().busybox, 'true')] }));
    const waited = await withKubeconfig(text, ['job/one', '-n', ns]);
    expect(waited, waited.stderr).toMatchObject({ code: 0, stdout: 'job/one reached: Complete, 1/1 succeeded\n' });
  });

  test('of another user and mode 0600', async ({ expect }) => {
    const { code, stderr } = await withKubeconfig(await flattened(), ['job/one'], { user: 65532 });
    expect(code).toBe(2);
    expect(stderr).toMatch(LINE);
    expect(stderr).toContain(`${KUBECONFIG} may not be read by this user (EACCES)`);
  });

  test('with the path of a certificate that is not mounted', async ({ expect }) => {
    const text = await changed(/certificate-authority-data: .*/, 'certificate-authority: /home/me/.minikube/ca.crt');
    const { code, stderr } = await withKubeconfig(text, ['job/one']);
    expect(code).toBe(2);
    expect(stderr).toMatch(LINE);
    expect(stderr).toContain('there is no file /home/me/.minikube/ca.crt');
  });

  test('with a server at 127.0.0.1, which in a container is the container', async ({ expect }) => {
    const text = await changed(/server: .*/, 'server: https://127.0.0.1:6443');
    for (const args of [['job/one'], ['check', 'job/one']]) {
      const { code, stdout, stderr } = await withKubeconfig(text, args, { network: 'bridge' });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(LINE);
      expect(stderr).toContain('nothing listens at https://127.0.0.1:6443');
      expect(stderr).toContain('--network host');
    }
  });

  test('with an exec plugin, which the image does not have', async ({ expect }) => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'aws', interactiveMode: 'Never' };
    const users = `users: [{name: me, user: {exec: ${JSON.stringify(exec)}}}]\n`;
    const text = (await flattened()).replace(/^users:[\s\S]*/m, users).replace(/user: .*/, 'user: me');
    const { code, stderr } = await withKubeconfig(text, ['job/one']);
    expect(code).toBe(2);
    expect(stderr).toMatch(LINE);
    expect(stderr).toContain('the credential plugin "aws" is not there');
  });
});

describe.concurrent('a pod without a service account', () => {
  test('says which token it lacks', async ({ ns, expect }) => {
    const containers = [
      waitsWith(images().own, ['job/migrate'], { terminationMessagePolicy: 'FallbackToLogsOnError' }),
    ];
    await api.create(podOf({ namespace: ns, name: 'bare', containers }));
    const ended = await api.until(pod(ns, 'bare'), (found) => containerOf(found, 'await')?.state.terminated, 'its end');
    const { exitCode, message } = containerOf(ended, 'await').state.terminated;
    expect(exitCode).toBe(2);
    expect(await logOf(ns, 'bare', 'await')).toMatch(LINE);
    expect(message).toMatch(/token/);
  });
});

describe.concurrent('a pod that calls wait_for.sh', () => {
  test.for(['wait_for.sh', '/usr/local/bin/wait_for.sh'])(
    '%s: its lines, and no shell',
    async (name, { ns, expect }) => {
      await allow(ns, 'script', ['job/one']);
      await api.create(jobOf({ namespace: ns, name: 'one', containers: [shell(images().busybox, 'true')] }));
      const containers = [waitsWith(images().own, [], { command: [name, 'job', 'one'] })];
      await api.create(podOf({ namespace: ns, name: 'script', serviceAccount: 'script', containers }));
      const ended = await api.until(
        pod(ns, 'script'),
        (found) => containerOf(found, 'await')?.state.terminated,
        'its end',
      );
      expect(containerOf(ended, 'await').state.terminated.exitCode).toBe(0);
      expect(await logOf(ns, 'script', 'await')).toMatch(/^\[[\d-]+ [\d:]+\] job one is ready\.$/m);
    },
  );
});

describe('the image', () => {
  test('adds at most 1.1 MB to its base', ({ expect }) => {
    const bytes = addedBytes(engine, images().own);
    console.log(`${bytes} bytes over the base`);
    expect(bytes).toBeLessThanOrEqual(1_100_000);
  });
});
