import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import type { Cluster } from '../cluster/index.ts';
import type { Rest } from '../cluster/rest.ts';
import { makeCertificates } from '../unit/kube/certificates.ts';
import type { Bench } from './case.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** A namespace with a service account that may do what a wait needs, and two tokens of it. */
export async function makeBench(cluster: Cluster): Promise<Bench> {
  const namespace = `faults-${randomBytes(4).toString('hex')}`;
  await makeWaiter(cluster.rest, namespace);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } };
  await cluster.rest.until(account, Boolean);
  // Tokens differ by their times, which are whole seconds.
  const seconds = Array.from({ length: 7 }, (_, index) => 3_600 + index);
  const tokens = await Promise.all(seconds.map((one) => cluster.token(namespace, WAITER, { seconds: one })));
  return {
    cluster,
    namespace,
    agent: new Agent({ keepAlive: true, ca: readFileSync(cluster.caFile) }),
    certificates: makeCertificates(),
    tokens,
  };
}

/** The name of the service account. */
export const WAITER = 'waiter';

/** Makes a namespace, and in it a service account that may do what a wait needs. */
export async function makeWaiter(rest: Rest, namespace: string): Promise<void> {
  const metadata = { namespace, name: WAITER };
  await rest.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const verbs = ['list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['pods'], verbs },
    { apiGroups: ['batch'], resources: ['jobs'], verbs },
  ];
  const role = { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules };
  const binding = {
    apiVersion: `${RBAC}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: RBAC, kind: 'Role', name: WAITER },
    subjects: [{ kind: 'ServiceAccount', name: WAITER, namespace }],
  };
  await rest.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await Promise.all([rest.create(role), rest.create(binding)]);
}

/** Removes what it made. */
export async function removeBench({ cluster, namespace, agent }: Bench): Promise<void> {
  await cluster.rest.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  agent.destroy();
}
