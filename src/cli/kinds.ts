import type { ApiResource } from '../kube/resource.ts';
import { suggest } from './suggest.ts';
import { quote, UsageError } from './usage-error.ts';

/**
 * The kinds that need no discovery: all that Kubernetes 1.36 serves by default and that can be listed and watched.
 * One row a group and version, namespaced kinds first, cluster-scoped ones behind them; each is Kind:plural[:short...].
 * Rows stand in the order in which kubectl prefers groups: `ev` is the core group's.
 */
const BUILT_IN: readonly (readonly [groupVersion: string, namespaced: string, clusterScoped: string])[] = [
  [
    'v1',
    'ConfigMap:configmaps:cm Endpoints:endpoints:ep Event:events:ev LimitRange:limitranges:limits ' +
      'PersistentVolumeClaim:persistentvolumeclaims:pvc Pod:pods:po PodTemplate:podtemplates ' +
      'ReplicationController:replicationcontrollers:rc ResourceQuota:resourcequotas:quota Secret:secrets ' +
      'ServiceAccount:serviceaccounts:sa Service:services:svc',
    'Namespace:namespaces:ns Node:nodes:no PersistentVolume:persistentvolumes:pv',
  ],
  ['apiregistration.k8s.io/v1', '', 'APIService:apiservices'],
  [
    'apps/v1',
    'ControllerRevision:controllerrevisions DaemonSet:daemonsets:ds Deployment:deployments:deploy ' +
      'ReplicaSet:replicasets:rs StatefulSet:statefulsets:sts',
    '',
  ],
  ['events.k8s.io/v1', 'Event:events:ev', ''],
  ['autoscaling/v2', 'HorizontalPodAutoscaler:horizontalpodautoscalers:hpa', ''],
  ['batch/v1', 'CronJob:cronjobs:cj Job:jobs', ''],
  ['certificates.k8s.io/v1', '', 'CertificateSigningRequest:certificatesigningrequests:csr'],
  [
    'networking.k8s.io/v1',
    'Ingress:ingresses:ing NetworkPolicy:networkpolicies:netpol',
    'IngressClass:ingressclasses IPAddress:ipaddresses:ip ServiceCIDR:servicecidrs',
  ],
  ['policy/v1', 'PodDisruptionBudget:poddisruptionbudgets:pdb', ''],
  [
    'rbac.authorization.k8s.io/v1',
    'RoleBinding:rolebindings Role:roles',
    'ClusterRoleBinding:clusterrolebindings ClusterRole:clusterroles',
  ],
  [
    'storage.k8s.io/v1',
    'CSIStorageCapacity:csistoragecapacities',
    'CSIDriver:csidrivers CSINode:csinodes StorageClass:storageclasses:sc VolumeAttachment:volumeattachments ' +
      'VolumeAttributesClass:volumeattributesclasses:vac',
  ],
  [
    'admissionregistration.k8s.io/v1',
    '',
    'MutatingAdmissionPolicy:mutatingadmissionpolicies ' +
      'MutatingAdmissionPolicyBinding:mutatingadmissionpolicybindings ' +
      'MutatingWebhookConfiguration:mutatingwebhookconfigurations ' +
      'ValidatingAdmissionPolicy:validatingadmissionpolicies ' +
      'ValidatingAdmissionPolicyBinding:validatingadmissionpolicybindings ' +
      'ValidatingWebhookConfiguration:validatingwebhookconfigurations',
  ],
  ['apiextensions.k8s.io/v1', '', 'CustomResourceDefinition:customresourcedefinitions:crd:crds'],
  ['scheduling.k8s.io/v1', '', 'PriorityClass:priorityclasses:pc'],
  ['coordination.k8s.io/v1', 'Lease:leases', ''],
  ['node.k8s.io/v1', '', 'RuntimeClass:runtimeclasses'],
  ['discovery.k8s.io/v1', 'EndpointSlice:endpointslices', ''],
  [
    'resource.k8s.io/v1',
    'ResourceClaim:resourceclaims ResourceClaimTemplate:resourceclaimtemplates',
    'DeviceClass:deviceclasses ResourceSlice:resourceslices',
  ],
  [
    'flowcontrol.apiserver.k8s.io/v1',
    '',
    'FlowSchema:flowschemas PriorityLevelConfiguration:prioritylevelconfigurations',
  ],
];

let parsed: readonly ApiResource[] | undefined;

/** Every built-in kind, in kubectl's order of preference. */
export function builtInKinds(): readonly ApiResource[] {
  parsed ??= BUILT_IN.flatMap(([groupVersion, namespaced, clusterScoped]) => [
    ...resources(groupVersion, namespaced, true),
    ...resources(groupVersion, clusterScoped, false),
  ]);
  return parsed;
}

function resources(groupVersion: string, kinds: string, namespaced: ApiResource['namespaced']): ApiResource[] {
  const [version = '', group = ''] = groupVersion.split('/').reverse();
  return kinds
    .split(' ')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [kind = '', name = '', ...shortNames] = entry.split(':');
      // True of every kind above: the API server derives it in the same way.
      const singularName = kind.toLowerCase();
      return { group, version, name, singularName, kind, shortNames, namespaced };
    });
}

/**
 * The built-in kind that kubectl would take the word for: singular, plural or kind in any case, a short name, each
 * also with a group (`deploy.apps`), the first part of one (`deploy.app`), or version and group (`jobs.v1.batch`).
 * A beginning with a dot in it is left to discovery, since a CRD may have exactly that group, which goes first.
 * https://github.com/kubernetes/client-go/blob/v0.36.3/restmapper/shortcut.go
 * https://github.com/kubernetes/apimachinery/blob/v0.36.3/pkg/api/meta/restmapper.go
 */
export function builtInKind(word: string): ApiResource | undefined {
  const dot = word.indexOf('.');
  const name = dot === -1 ? word : word.slice(0, dot);
  const qualifier = dot === -1 ? '' : word.slice(dot + 1);
  const lower = name.toLowerCase();
  const kinds = builtInKinds().filter(
    (kind) => kind.name === lower || kind.singularName === lower || kind.shortNames.includes(name),
  );
  if (qualifier === '') return kinds[0];
  return (
    kinds.find((kind) => qualifier === `${kind.version}.${kind.group}`) ??
    kinds.find((kind) => kind.group === qualifier) ??
    (qualifier.includes('.') ? undefined : kinds.find((kind) => kind.group.startsWith(qualifier)))
  );
}

/** The word for a kind in labels: its singular, with the group where that alone would mean another kind. */
export function kindLabel(resource: ApiResource): string {
  const singular = resource.singularName === '' ? resource.kind.toLowerCase() : resource.singularName;
  const meant = builtInKind(singular);
  if (resource.group === '' || (meant?.group === resource.group && meant.name === resource.name)) return singular;
  return `${singular}.${resource.group}`;
}

/** What to say of a kind that neither the table nor the API server knows. */
export function unknownKind(word: string): UsageError {
  const name = word.toLowerCase();
  const names = builtInKinds().flatMap((kind) => [kind.singularName, kind.name, ...kind.shortNames]);
  const near = suggest(name, names);
  const hint = near === undefined ? '' : `, did you mean ${near}?`;
  return new UsageError(`expected a kind such as job, pod or deployment, got ${quote(word)}${hint}`);
}
