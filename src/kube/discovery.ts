import { field, list, text } from '../json.ts';
import { type Problem, TransportError, whatToDo } from './problem.ts';
import type { ApiResource } from './resource.ts';
import type { Transport } from './transport.ts';

/**
 * Finds the resource that a word means, as kubectl's RESTMapper does: a plural, singular, kind or short name in any
 * case, alone or followed by `.group` or `.version.group`. Undefined where the server serves no such kind; that is only
 * said when the whole of discovery could be read.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 * @throws TransportError
 */
export async function discover(
  transport: Transport,
  word: string,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<ApiResource | undefined> {
  const read: Reader = async (path) => {
    const response = await transport.request({ method: 'GET', path, accept: ACCEPT, ...options });
    return await response.json();
  };
  // The core group first: of two groups with the same name, kubectl takes the one that the server puts first.
  const [core, named] = await Promise.all([read('/api'), read('/apis')]);
  const versions = [...(await versionsOf(core, '/api', read)), ...(await versionsOf(named, '/apis', read))];
  for (const wanted of readings(word.toLowerCase())) {
    const found = choose(versions, wanted);
    if (found !== undefined) return found;
  }
  const lacking = versions.find(
    ({ unread, group, isDenied = false }) =>
      unread !== undefined &&
      readings(word.toLowerCase()).some((wanted) => mayBeGroup(group, wanted.group) && (!isDenied || wanted.group)),
  );
  if (lacking?.unread !== undefined) throw new TransportError(lacking.unread);
  return undefined;
}

type Reader = (path: string) => Promise<unknown>;

/** One version of one group, in the order of preference in which the server lists them. */
interface GroupVersion {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ApiResource[];
  /** Why its resources are not known: mostly an aggregated API server that is down. */
  readonly unread: Problem | undefined;
  /** Whether the server answered 404 for it: a word without a group is not looked for there. */
  readonly isDenied?: boolean;
}

/** What a word may mean: `a.b.c` is a of group b.c, or version b of a in group c. */
interface Wanted {
  readonly name: string;
  readonly version: string | undefined;
  readonly group: string | undefined;
}

/** One document for all groups, from 1.26 on; older servers and older aggregated ones answer with plain JSON. */
const ACCEPT = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

/** The fully specified meaning first, as in kubectl's ParseResourceArg. */
function readings(word: string): readonly Wanted[] {
  const [name = '', second, ...rest] = word.split('.');
  if (second === undefined) return [{ name, version: undefined, group: undefined }];
  const grouped = { name, version: undefined, group: [second, ...rest].join('.') };
  return rest.length === 0 ? [grouped] : [{ name, version: second, group: rest.join('.') }, grouped];
}

/**
 * A whole name wins over a short one, wherever it is; after that the first group in the server's order, and in it the
 * first version that has the resource.
 * https://github.com/kubernetes/client-go/blob/v0.36.0/restmapper/shortcut.go
 */
function choose(versions: readonly GroupVersion[], wanted: Wanted): ApiResource | undefined {
  const ofVersion = versions.filter(({ version }) => wanted.version === undefined || version === wanted.version);
  // A group in full wins over one that only begins so: `deploy.ext` is legal, too.
  const exact = ofVersion.filter(({ group }) => wanted.group === undefined || group === wanted.group);
  const begun = ofVersion.filter(({ group }) => wanted.group !== undefined && group.startsWith(wanted.group));
  for (const candidates of [exact, begun]) {
    const resources = candidates.flatMap((each) => each.resources);
    const found =
      resources.find((resource) => isName(resource, wanted.name)) ??
      resources.find((resource) => resource.shortNames.includes(wanted.name));
    if (found !== undefined) return found;
  }
  return undefined;
}

function isName({ name, singularName, kind }: ApiResource, wanted: string): boolean {
  return wanted === name || wanted === singularName || wanted === kind.toLowerCase();
}

function mayBeGroup(group: string, wanted: string | undefined): boolean {
  return wanted === undefined || group.startsWith(wanted);
}

async function versionsOf(document: unknown, path: '/api' | '/apis', read: Reader): Promise<readonly GroupVersion[]> {
  if (text(document, 'kind') === 'APIGroupDiscoveryList') return aggregated(document);
  const groupVersions =
    path === '/api' ? list(document, 'versions').map(String) : list(document, 'groups').flatMap(preferredFirst);
  return await Promise.all(groupVersions.map((groupVersion) => unaggregated(groupVersion, path, read)));
}

function aggregated(document: unknown): readonly GroupVersion[] {
  return list(document, 'items').flatMap((item) => {
    const group = text(item, 'metadata', 'name') ?? '';
    return list(item, 'versions').map((entry): GroupVersion => {
      const version = text(entry, 'version') ?? '';
      const resources = list(entry, 'resources').flatMap((resource) => {
        // Without a kind of its own it is only the parent of subresources.
        const kind = text(resource, 'responseKind', 'kind');
        const name = text(resource, 'resource');
        if (kind === undefined || name === undefined) return [];
        const singularName = text(resource, 'singularResource');
        const shortNames = list(resource, 'shortNames');
        const namespaced = text(resource, 'scope') === 'Namespaced';
        return [toResource({ group, version, name, singularName, kind, shortNames, namespaced })];
      });
      const stale = text(entry, 'freshness') === 'Stale' && resources.length === 0;
      return { group, version, resources, unread: stale ? notServedNow(group, version) : undefined };
    });
  });
}

function notServedNow(group: string, version: string): Problem {
  const message = `what ${group}/${version} serves cannot be told at the moment`;
  return { kind: 'status', status: 503, reason: 'ServiceUnavailable', message };
}

/** The preferred version need not be the first in the list. */
function preferredFirst(group: unknown): readonly string[] {
  const all = list(group, 'versions').flatMap((version) => text(version, 'groupVersion') ?? []);
  const preferred = text(group, 'preferredVersion', 'groupVersion');
  return preferred === undefined ? all : [preferred, ...all.filter((each) => each !== preferred)];
}

async function unaggregated(groupVersion: string, path: '/api' | '/apis', read: Reader): Promise<GroupVersion> {
  const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion];
  const named = { group: group ?? '', version: version ?? '' };
  let document: unknown;
  try {
    document = await read(`${path}/${groupVersion}`);
  } catch (error) {
    // The one that is down need not be the one that is looked for. A 404 says nothing about a version that was just
    // listed: an aggregated API server that is starting answers it too.
    if (!(error instanceof TransportError) || whatToDo(error.problem) === 'refused') throw error;
    const isDenied = whatToDo(error.problem) === 'not-found';
    const unread = isDenied ? notServedNow(named.group, named.version) : error.problem;
    return { ...named, resources: [], unread, isDenied };
  }
  const resources = list(document, 'resources').flatMap((resource) => {
    const name = text(resource, 'name');
    const kind = text(resource, 'kind');
    if (name === undefined || kind === undefined || name.includes('/')) return [];
    const singularName = text(resource, 'singularName');
    const shortNames = list(resource, 'shortNames');
    return [
      toResource({
        ...named,
        name,
        singularName,
        kind,
        shortNames,
        namespaced: field(resource, 'namespaced') === true,
      }),
    ];
  });
  return { ...named, resources, unread: undefined };
}

function toResource(given: {
  group: string;
  version: string;
  name: string;
  singularName: string | undefined;
  kind: string;
  shortNames: readonly unknown[];
  namespaced: boolean;
}): ApiResource {
  const { singularName, kind, shortNames } = given;
  return { ...given, singularName: singularName ?? kind.toLowerCase(), shortNames: shortNames.map(String) };
}
