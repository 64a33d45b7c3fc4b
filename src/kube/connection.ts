import { statSync } from 'node:fs';
import path from 'node:path';
import { ConfigurationError } from './configuration-error.ts';
import { impersonation } from './impersonation.ts';
import { connectInCluster, isInCluster, podNamespace, SERVICE_ACCOUNT_DIR } from './in-cluster.ts';
import { proxyFromEnvironment } from './no-proxy.ts';
import { type ConnectionOptions, type Environment, OWN_TOKEN } from './options.ts';

/** Where the API server is, and how to be known there. */
export interface Connection {
  /** With the path under which the API is served, where it is not the root. */
  readonly server: URL;
  readonly source: 'kubeconfig' | 'in-cluster' | 'flags';
  /** The context's or the pod's, else `default`. */
  readonly namespace: string;
  /** Whose certificates are trusted, for messages. */
  readonly caFile?: string;
  /** That requests go through a proxy. */
  readonly proxied?: true;
  /** Where the credentials come from, for messages; never what they are. */
  readonly credentials?: string;
  /**
   * What the next request carries. Asked for before each request, since tokens and certificates are replaced while we
   * run; `renew` after a 401: whatever was cached is made anew.
   * @throws TransportError where a credential cannot be had at the moment
   */
  authorize(attempt: { renew: boolean }): Promise<RequestAuth>;
}

export interface RequestAuth {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: TlsSettings;
  /** Undefined: directly. */
  readonly proxyUrl?: string;
}

export interface TlsSettings {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly pfx?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Folders that are elsewhere in tests. */
export interface Places {
  readonly serviceAccountDir: string;
  readonly homeDir: string | undefined;
}

/**
 * Finds the API server in kubectl's order: --kubeconfig, or the files of KUBECONFIG, or ~/.kube/config; --server; then
 * the pod's own service account. Nothing is asked of the network.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 * @throws ConfigurationError
 */
export async function connect(
  options: ConnectionOptions,
  env: Environment,
  places: Partial<Places> = {},
): Promise<Connection> {
  const serviceAccountDir = places.serviceAccountDir ?? SERVICE_ACCOUNT_DIR;
  const homeDir = 'homeDir' in places ? places.homeDir : env.HOME || env.USERPROFILE;
  checkHeaders(options);

  const candidates = kubeconfigCandidates(options, env, homeDir);
  const files = candidates.paths.filter((file) => exists(file, candidates.from));
  if (candidates.from === '--kubeconfig' && files.length === 0) {
    throw new ConfigurationError(`--kubeconfig: there is no file ${candidates.paths[0]}`);
  }
  // A kubeconfig that says nothing about a namespace leaves it to the pod, where there is one, as in client-go's
  // DeferredLoadingClientConfig.
  const inCluster = isInCluster(env, serviceAccountDir);
  const fallbackNamespace = inCluster ? podNamespace(env, serviceAccountDir) : 'default';
  if (files.length > 0) {
    const { connectWithKubeconfig } = await import('./kubeconfig.ts');
    const connection = connectWithKubeconfig({ files, options, env, fallbackNamespace });
    if (connection !== undefined) return connection;
  }
  if (options.context !== undefined && options.context !== '') {
    const where = candidates.paths.length === 0 ? 'there is no kubeconfig' : `none in ${candidates.paths.join(', ')}`;
    throw new ConfigurationError(`--context: no context ${JSON.stringify(options.context)}: ${where}`);
  }
  if (options.server !== undefined && options.server !== '') {
    return connectWithFlags(options.server, options, env, fallbackNamespace);
  }
  // The variable alone says that this is a pod: a lacking token is worth its own message.
  if (env.KUBERNETES_SERVICE_HOST) return connectInCluster(options, env, serviceAccountDir);
  throw new ConfigurationError(nothingConfigured(candidates, files));
}

/** https://host, host:port or a URL with a path. Without a scheme it is https only where there is something to trust. */
export function parseServer(server: string, where: string, scheme: 'http' | 'https'): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `${scheme}://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '') {
    // A URL may hold a password.
    const shown = server.includes('@') ? '' : ` ${JSON.stringify(server)}`;
    throw new ConfigurationError(`${where}:${shown} is not an address like https://host:port`);
  }
  return url;
}

function connectWithFlags(
  serverText: string,
  options: ConnectionOptions,
  env: Environment,
  namespace: string,
): Connection {
  const server = parseServer(serverText, '--server', options.insecureSkipTlsVerify === true ? 'https' : 'http');
  const proxyUrl = proxyFromEnvironment(server, env);
  const secure = server.protocol === 'https:';
  const auth: RequestAuth = {
    headers: {
      ...(secure && options.token ? { Authorization: `Bearer ${options.token}` } : {}),
      ...impersonation({ user: options.as, groups: options.asGroups }),
    },
    tls: options.insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {},
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  };
  const credentials = options.token ? { credentials: OWN_TOKEN } : {};
  return { server, source: 'flags', namespace, ...credentials, authorize: async () => auth };
}

interface Candidates {
  readonly from: '--kubeconfig' | 'KUBECONFIG' | 'home';
  readonly paths: readonly string[];
}

function kubeconfigCandidates(options: ConnectionOptions, env: Environment, homeDir: string | undefined): Candidates {
  if (options.kubeconfig) return { from: '--kubeconfig', paths: [options.kubeconfig] };
  const listed = (env.KUBECONFIG ?? '').split(path.delimiter).filter((file) => file !== '');
  if (listed.length > 0) return { from: 'KUBECONFIG', paths: [...new Set(listed)] };
  return { from: 'home', paths: homeDir ? [path.join(homeDir, '.kube', 'config')] : [] };
}

function exists(file: string, from: Candidates['from']): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTDIR') return false;
    // A home folder that we may not enter, usual where a pod runs under another user than its image's. Nobody asked
    // for a file in it. Of a file that was asked for, reading it will say what is wrong.
    return from !== 'home';
  }
}

function checkHeaders(options: ConnectionOptions): void {
  // Node refuses such a header as well, but only when the request is made, where it would pass for a network fault.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const unfit = /[\x00-\x1f\x7f]/;
  if (options.token !== undefined && /[^\x21-\x7e]/.test(options.token)) {
    throw new ConfigurationError('--token: expected a token, got something with spaces or characters beyond ASCII');
  }
  for (const [name, value] of [
    ['--as', options.as],
    ...(options.asGroups ?? []).map((group) => ['--as-group', group]),
  ]) {
    if (value !== undefined && unfit.test(value)) {
      throw new ConfigurationError(`${name}: expected a name, got ${JSON.stringify(value)}`);
    }
  }
  if (options.asGroups?.length && !options.as) {
    throw new ConfigurationError('--as-group needs --as: groups are only taken together with a user');
  }
}

function nothingConfigured(candidates: Candidates, files: readonly string[]): string {
  const first = candidates.paths.join(', ');
  const lacking =
    files.length > 0
      ? `${files.join(', ')} names no current context (choose one with --context)`
      : candidates.from === 'KUBECONFIG'
        ? `no file of KUBECONFIG exists (${first})`
        : first === ''
          ? 'there is no kubeconfig'
          : `there is no ${first}`;
  return `no cluster is configured: ${lacking}, and this is not a pod of a cluster`;
}
