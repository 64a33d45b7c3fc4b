/**
 * Namespaces in which the controllers may not write a status, so that each status is what the test says. The API server
 * itself refuses it to them, by an admission policy.
 */
import { api, type Json, RestError } from './index.ts';

const name = 'kube-await-test-frozen';
const label = 'kube-await.test/frozen';

const policy = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: ['', 'apps', 'batch'],
          apiVersions: ['*'],
          operations: ['CREATE', 'UPDATE'],
          resources: [
            'deployments/status',
            'statefulsets/status',
            'daemonsets/status',
            'replicasets/status',
            'replicationcontrollers/status',
            'persistentvolumeclaims/status',
            'persistentvolumes/status',
            // Asks whether the policy is in force.
            'podtemplates',
          ],
        },
      ],
    },
    variables: [
      { name: 'holder', expression: 'namespaceObject == null ? object : namespaceObject' },
      { name: 'frozen', expression: `'${label}' in variables.holder.metadata.?labels.orValue({})` },
    ],
    validations: [
      {
        expression:
          "!variables.frozen || (request.resource.resource != 'podtemplates' && request.userInfo.username != 'kube-controller-manager')",
        message: 'frozen',
      },
    ],
  },
};

const binding = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName: name, validationActions: ['Deny'] },
};

async function createOnce(path: string, object: object): Promise<void> {
  try {
    await api.post(path, object);
  } catch (error) {
    // Another file of the run has.
    if (!(error instanceof RestError && error.status === 409)) throw error;
  }
}

/** The label by which a cluster-scoped object is frozen, once any namespace is. */
export const FROZEN = { [label]: 'true' };

/** From here on no controller writes a status in this namespace. */
export async function freeze(namespace: string): Promise<void> {
  const admission = '/apis/admissionregistration.k8s.io/v1';
  await createOnce(`${admission}/validatingadmissionpolicies`, policy);
  await createOnce(`${admission}/validatingadmissionpolicybindings`, binding);
  await api.patch(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { metadata: { labels: FROZEN } },
  );
  const probe: Json = { metadata: { name: 'probe' }, template: { spec: { containers: [{ name: 'x', image: 'x' }] } } };
  // Admission reads policies and namespaces through watches of its own, whose progress nobody else can watch: ask
  // until it knows.
  for (;;) {
    try {
      await api.post(`/api/v1/namespaces/${namespace}/podtemplates?dryRun=All`, probe);
    } catch (error) {
      if (error instanceof RestError && error.message.includes('frozen')) return;
      throw error;
    }
  }
}
