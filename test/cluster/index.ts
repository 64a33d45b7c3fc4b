import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Program, SetupError } from './binaries.ts';
import { type Credentials, connectRest, type Json, type Rest } from './rest.ts';

/** Where a running cluster is. Plain data, so that one process can start it and others can use it. */
export interface Coordinates {
  /** Everything of the cluster lies in here; `logs` in it has what its programs say. */
  readonly dir: string;
  readonly socket: string;
  readonly auditLog: string;
  readonly caFile: string;
  readonly admin: Credentials;
  readonly minor: number;
  /** Of the administrator. */
  readonly kubeconfig: string;
  readonly binaries: Readonly<Record<string, string>>;
  /** Of the programs that the supervisor started itself. */
  readonly pids: readonly number[];
}

/** What the supervisor says, one JSON line each. */
export type FromSupervisor =
  | { readonly progress: string }
  | { readonly ready: Coordinates }
  | { readonly error: string };

/** One line of the API server's audit log, as far as tests read it. */
export interface AuditEvent {
  readonly auditID: string;
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly impersonatedUser?: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
  readonly requestReceivedTimestamp: string;
}

export interface AuditFilter {
  /** The user who authenticated, impersonating or not. */
  readonly user?: string;
  readonly userAgent?: RegExp;
  readonly verb?: string;
  readonly resource?: string;
  readonly namespace?: string;
}

export interface Cluster {
  readonly coordinates: Coordinates;
  readonly server: string;
  /** Of Kubernetes 1: the 36 of v1.36.3. */
  readonly minor: number;
  readonly caFile: string;
  readonly kubeconfig: string;
  readonly auditLog: string;
  /** The administrator's client. */
  readonly rest: Rest;
  /** The path of a program; it must have been asked for when the cluster was started. */
  bin(program: Program): string;
  /** A client certificate for this user, and the path of a kubeconfig that holds it. */
  addUser(name: string, groups?: readonly string[]): Promise<string>;
  /** A token of this service account, from the TokenRequest API. */
  token(namespace: string, serviceAccount: string, options?: { readonly seconds?: number }): Promise<string>;
  /** In the order of the log. A request is in there before its client has the whole answer. */
  auditEvents(filter?: AuditFilter): AuditEvent[];
  /** From here on this process (and its group, if it leads one) dies with the calling process, until released. */
  hold(pid: number): Promise<void>;
  release(pid: number): Promise<void>;
  /** Leaves the cluster running. */
  disconnect(): void;
}

export interface RunningCluster extends Cluster {
  /** Resolves when all its processes and its folder are gone. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Programs to have besides those that a cluster consists of. */
  readonly programs?: readonly Program[];
  /** Gets a line for each program that has to be built first. */
  readonly progress?: (line: string) => void;
}

/** The connection to the supervisor's socket: opened with the first request, and no reason to stay alive. */
function connectSupervisor(path: string) {
  let socket: Socket | undefined;
  let lastId = 0;
  const waiting = new Map<number, { resolve: (result: string) => void; reject: (error: Error) => void }>();

  function open(): Socket {
    const opened = connect(path);
    const lost = (error?: Error): void => {
      for (const { reject } of waiting.values()) {
        reject(error ?? new Error('the test cluster is gone'));
      }
      waiting.clear();
    };
    opened.on('error', lost);
    opened.on('close', () => lost());
    createInterface({ input: opened }).on('line', (line) => {
      const { id, result, error } = JSON.parse(line) as { id: number; result: string; error?: string };
      const asked = waiting.get(id);
      waiting.delete(id);
      if (waiting.size === 0) {
        opened.unref();
      }
      if (error === undefined) {
        asked?.resolve(result);
      } else {
        asked?.reject(new Error(error));
      }
    });
    opened.unref();
    return opened;
  }

  return {
    ask(message: object): Promise<string> {
      const supervisor = socket ?? open();
      socket = supervisor;
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        supervisor.ref();
        supervisor.write(`${JSON.stringify({ id, ...message })}\n`);
      });
    },
    close: () => socket?.destroy(),
  };
}

function matches(event: AuditEvent, filter: AuditFilter): boolean {
  return (
    (filter.user === undefined || event.user.username === filter.user) &&
    (filter.userAgent === undefined || filter.userAgent.test(event.userAgent ?? '')) &&
    (filter.verb === undefined || event.verb === filter.verb) &&
    (filter.resource === undefined || event.objectRef?.resource === filter.resource) &&
    (filter.namespace === undefined || event.objectRef?.namespace === filter.namespace)
  );
}

/** A token of a service account for so many seconds, from the TokenRequest API. */
export async function requestToken(
  rest: Rest,
  namespace: string,
  serviceAccount: string,
  seconds: number,
): Promise<string> {
  const answer: Json = await rest.post(`/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: seconds },
  });
  return answer.status.token;
}

/** Uses a cluster that another process has started. */
export function connectCluster(coordinates: Coordinates): Cluster {
  const rest = connectRest(coordinates.admin, 'kube-await-tests');
  const supervisor = connectSupervisor(coordinates.socket);
  return {
    coordinates,
    rest,
    server: coordinates.admin.server,
    minor: coordinates.minor,
    caFile: coordinates.caFile,
    kubeconfig: coordinates.kubeconfig,
    auditLog: coordinates.auditLog,
    bin(program) {
      const path = coordinates.binaries[program];
      if (path === undefined) {
        throw new Error(`the cluster was started without ${program}`);
      }
      return path;
    },
    addUser: (name, groups = []) => supervisor.ask({ addUser: [name, groups] }),
    token: (namespace, serviceAccount, { seconds = 3600 } = {}) =>
      requestToken(rest, namespace, serviceAccount, seconds),
    auditEvents(filter = {}) {
      const lines = readFileSync(coordinates.auditLog, 'utf8').split('\n');
      // The last line may still be under way.
      lines.pop();
      // Of many thousand lines a few are wanted, and to parse them all takes longer than to find those.
      const mark = JSON.stringify(filter.user ?? '').slice(1, -1);
      const candidates = lines.filter((line) => line.includes(mark));
      return candidates.map((line) => JSON.parse(line) as AuditEvent).filter((event) => matches(event, filter));
    },
    hold: async (pid) => void (await supervisor.ask({ hold: pid })),
    release: async (pid) => void (await supervisor.ask({ release: pid })),
    disconnect() {
      rest.close();
      supervisor.close();
    },
  };
}

/**
 * Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok with a few nodes, building first what
 * is missing. They end with stop(), or with this process, however it ends.
 */
export async function startCluster({ programs = [], progress = () => {} }: StartOptions = {}): Promise<RunningCluster> {
  const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'supervisor.ts'), JSON.stringify(programs)], {
    // In a session of its own: Ctrl-C and a dying terminal reach us only, and the pipe tells it.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => {
    supervisor.on('exit', () => {
      // Should it have died by itself, its children are still in its process group.
      try {
        process.kill(-(supervisor.pid ?? 0), 'SIGKILL');
      } catch {
        // None are left.
      }
      resolve();
    });
  });
  // Once it is up nobody waits for a promise of ours: then an error of the cluster is only said.
  let failed: (message: string) => void = () => {};
  const coordinates = await new Promise<Coordinates>((resolve, reject) => {
    supervisor.on('error', reject);
    void ended.then(() => reject(new SetupError('the test cluster ended before it was ready')));
    createInterface({ input: supervisor.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as FromSupervisor;
      if ('progress' in message) {
        progress(message.progress);
      } else if ('ready' in message) {
        resolve(message.ready);
      } else {
        reject(new SetupError(message.error));
        failed(message.error);
      }
    });
  });
  failed = (message) => console.error(message);
  const cluster = connectCluster(coordinates);
  return {
    ...cluster,
    async stop() {
      cluster.disconnect();
      supervisor.stdin.end();
      await ended;
    },
  };
}
