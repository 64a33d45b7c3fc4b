import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { loadAll, YAMLException } from 'js-yaml';
import { field, list, text } from '../json.ts';
import { ConfigurationError } from './configuration-error.ts';
import { type Connection, parseServer, type RequestAuth, type TlsSettings } from './connection.ts';
import { createExecPlugin, type ExecCredentials, type ExecPlugin } from './exec-plugin.ts';
import { impersonation } from './impersonation.ts';
import { checkProxy, proxyFromEnvironment } from './no-proxy.ts';
import { type ConnectionOptions, type Environment, OWN_TOKEN } from './options.ts';
import { fromNode, type Problem, TransportError } from './problem.ts';

/** An entry of a kubeconfig's list of clusters, users or contexts. */
interface Entry {
  readonly value: unknown;
  /** Where it was read, which paths in it are relative to. */
  readonly file: string;
}

interface Merged {
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly currentContext: string | undefined;
}

/**
 * The connection that kubeconfig files describe. Undefined where they describe none: no context is chosen.
 * Reading, merging and choosing is done here, by client-go's rules; KubeConfig then turns the one user and cluster
 * into credentials.
 * @throws ConfigurationError
 */
export function connectWithKubeconfig(given: {
  files: readonly string[];
  options: ConnectionOptions;
  env: Environment;
  fallbackNamespace: string;
}): Connection | undefined {
  const { files, options, env, fallbackNamespace } = given;
  const merged = merge(files);
  const contextName = options.context || merged.currentContext;
  if (contextName === undefined) return undefined;
  const context = find(merged.contexts, contextName, 'context', files);

  const clusterName = text(context.value, 'cluster');
  if (clusterName === undefined && !options.server) {
    throw new ConfigurationError(`${context.file}: context ${JSON.stringify(contextName)} names no cluster`);
  }
  const cluster = clusterName === undefined ? undefined : find(merged.clusters, clusterName, 'cluster', files);
  const userName = text(context.value, 'user');
  const user = userName === undefined ? undefined : find(merged.users, userName, 'user', files);

  const { server, proxyUrl, tls: serverTls, caFile } = readCluster(cluster, clusterName, options, env);
  const shared = {
    server,
    source: 'kubeconfig' as const,
    namespace: text(context.value, 'namespace') ?? fallbackNamespace,
    credentials: credentialsOf(user, userName, options),
    ...(caFile === undefined ? {} : { caFile }),
    ...(proxyUrl === undefined ? {} : { proxied: true as const }),
  };
  const proxy = proxyUrl === undefined ? {} : { proxyUrl };
  const impersonated = impersonatedHeaders(user?.value, options);
  // Credentials are never sent in the clear; client-go does not even read them then.
  if (server.protocol === 'http:') {
    const auth: RequestAuth = { headers: impersonated, tls: {}, ...proxy };
    return { ...shared, authorize: async () => auth };
  }

  const identity = createIdentity(user, userName ?? '', options, {
    env,
    cluster: execCluster(server, proxyUrl, serverTls, cluster),
  });
  checkCertificates(identity.certificates(), userName ?? '', user?.file ?? context.file);
  return {
    ...shared,
    async authorize(attempt) {
      const { headers, tls } = await identity.credentials(attempt);
      return { headers: { ...headers, ...impersonated }, tls: { ...serverTls, ...tls }, ...proxy };
    },
  };
}

function credentialsOf(user: Entry | undefined, name: string | undefined, options: ConnectionOptions): string {
  if (options.token) return OWN_TOKEN;
  return user === undefined ? 'no user: the context names none' : `user ${JSON.stringify(name)} of ${user.file}`;
}

/**
 * First come, first served: of two entries with one name, the first file's is taken whole.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 */
function merge(files: readonly string[]): Merged {
  const clusters = new Map<string, Entry>();
  const users = new Map<string, Entry>();
  const contexts = new Map<string, Entry>();
  let currentContext: string | undefined;
  for (const file of files) {
    const config = readKubeconfig(file);
    currentContext ??= text(config, 'current-context');
    for (const [key, entries, inner] of [
      ['clusters', clusters, 'cluster'],
      ['users', users, 'user'],
      ['contexts', contexts, 'context'],
    ] as const) {
      for (const item of list(config, key)) {
        const name = text(item, 'name');
        if (name !== undefined && !entries.has(name)) entries.set(name, { value: field(item, inner), file });
      }
    }
  }
  return { clusters, users, contexts, currentContext };
}

function readKubeconfig(file: string): unknown {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError(unreadable('the kubeconfig', file, error));
  }
  let config: unknown;
  try {
    [config] = loadAll(content);
  } catch (error) {
    // The message of the parser shows the lines around the place, which may hold a token.
    const at = error instanceof YAMLException && error.mark !== undefined ? ` (line ${error.mark.line + 1})` : '';
    throw new ConfigurationError(`the kubeconfig ${file} is not YAML${at}`);
  }
  const kind = field(config, 'kind');
  // An empty one, or one of comments only, is legal: it says nothing.
  const isMapping = typeof config === 'object' && !Array.isArray(config);
  if (config != null && (!isMapping || (kind !== undefined && kind !== 'Config'))) {
    throw new ConfigurationError(`${file} is not a kubeconfig`);
  }
  return config;
}

function find(
  entries: ReadonlyMap<string, Entry>,
  name: string,
  what: 'context' | 'cluster' | 'user',
  files: readonly string[],
): Entry {
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  const names = [...entries.keys()].slice(0, 10).join(', ');
  const others = names === '' ? `it has no ${what}s` : `it has ${names}${entries.size > 10 ? ', ...' : ''}`;
  throw new ConfigurationError(`${files.join(', ')}: there is no ${what} ${JSON.stringify(name)}; ${others}`);
}

function readCluster(
  cluster: Entry | undefined,
  name: string | undefined,
  options: ConnectionOptions,
  env: Environment,
): { server: URL; proxyUrl: string | undefined; tls: TlsSettings; caFile: string | undefined } {
  const value = cluster?.value;
  const where = `cluster ${JSON.stringify(name ?? '')}`;
  const caData = text(value, 'certificate-authority-data');
  const caFile = caData === undefined ? pathIn(cluster, text(value, 'certificate-authority')) : undefined;
  const skipVerify = options.insecureSkipTlsVerify === true || field(value, 'insecure-skip-tls-verify') === true;
  if (skipVerify && options.insecureSkipTlsVerify !== true && (caData !== undefined || caFile !== undefined)) {
    throw new ConfigurationError(
      `${where}: insecure-skip-tls-verify and a certificate authority exclude each other, expected one of them`,
    );
  }
  const address = options.server || text(value, 'server');
  if (address === undefined) throw new ConfigurationError(`${where} has no server`);
  const secure = skipVerify || caData !== undefined || caFile !== undefined;
  const server = parseServer(address, options.server ? '--server' : where, secure ? 'https' : 'http');
  const proxy = text(value, 'proxy-url');
  const proxyUrl =
    proxy === undefined ? proxyFromEnvironment(server, env) : checkProxy(proxy, `the proxy-url of ${where}`);
  // With another server its certificate's name is another one too, as in client-go.
  const servername = options.server ? undefined : text(value, 'tls-server-name');
  const ca = skipVerify ? undefined : readCa(caData, caFile, where);
  const tls = {
    ...(skipVerify ? { rejectUnauthorized: false } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(servername === undefined ? {} : { servername }),
  };
  return { server, proxyUrl, tls, caFile: skipVerify ? undefined : (caFile ?? (caData && cluster?.file)) };
}

function readCa(data: string | undefined, file: string | undefined, where: string): Buffer | undefined {
  if (data === undefined && file === undefined) return undefined;
  const ca =
    file === undefined ? Buffer.from(data ?? '', 'base64') : readNamed(file, `the certificate-authority of ${where}`);
  // Node takes anything here, and would then trust nobody.
  if (ca.includes('-----BEGIN')) return ca;
  const source = file === undefined ? 'certificate-authority-data' : file;
  throw new ConfigurationError(`${where}: ${source} holds no PEM certificate`);
}

/** Who we are, by whatever means the user's entry names. */
interface Identity {
  credentials(attempt: { renew: boolean }): Promise<{ headers: Record<string, string>; tls: TlsSettings }>;
  /** Those that are in the kubeconfig or in files. */
  certificates(): TlsSettings;
}

function createIdentity(
  user: Entry | undefined,
  name: string,
  options: ConnectionOptions,
  exec: { env: Environment; cluster: Readonly<Record<string, unknown>> },
): Identity {
  const value = user?.value;
  const who = `user ${JSON.stringify(name)}`;
  const certFile = pathIn(user, text(value, 'client-certificate'));
  const keyFile = pathIn(user, text(value, 'client-key'));
  const tokenFile = pathIn(user, text(value, 'tokenFile'));
  const certData = text(value, 'client-certificate-data');
  const keyData = text(value, 'client-key-data');
  const token = text(value, 'token')?.trim();
  const basic = text(value, 'username');
  if (tokenFile !== undefined && !options.token) readNamed(tokenFile, `the tokenFile of ${who}`);
  const hasCert = certData !== undefined || certFile !== undefined;
  if (hasCert && keyData === undefined && keyFile === undefined) {
    throw new ConfigurationError(
      `${who}: a client certificate without its key, expected client-key-data or client-key`,
    );
  }
  // What client-go asks a plugin for only where nothing else identifies the user.
  const bearer = options.token || tokenFile || token;
  const pluginSpec = bearer || basic || hasCert ? undefined : field(value, 'exec');
  const plugin: ExecPlugin | undefined =
    pluginSpec === undefined
      ? undefined
      : createExecPlugin(pluginSpec, { user: name, dir: path.dirname(user?.file ?? ''), ...exec });
  const authProvider = bearer || plugin !== undefined ? undefined : field(value, 'auth-provider');
  if (authProvider !== undefined) checkAuthProvider(authProvider, who);

  const certificates = (): TlsSettings => ({
    ...(hasCert ? { cert: dataOrFile(certData, certFile, `the client-certificate of ${who}`) } : {}),
    ...(hasCert ? { key: dataOrFile(keyData, keyFile, `the client-key of ${who}`) } : {}),
  });
  const kubeUser = {
    name,
    // Data wins over a file, as in client-go; in client-node it is the other way round.
    ...(hasCert ? (certData === undefined ? { certFile } : { certData }) : {}),
    ...(hasCert ? (keyData === undefined ? { keyFile } : { keyData }) : {}),
    ...(bearer === undefined && basic !== undefined
      ? { username: basic, password: text(value, 'password') ?? '' }
      : {}),
    ...(authProvider === undefined ? {} : { authProvider: usable(authProvider) }),
  };
  // Several requests start at the same time, and a refresh token must be used once for all of them.
  let pending: ReturnType<typeof applied> | undefined;
  const shared = (): ReturnType<typeof applied> => {
    pending ??= applied(kubeUser, who).finally(() => {
      pending = undefined;
    });
    return pending;
  };
  return {
    certificates,
    async credentials(attempt) {
      const given: ExecCredentials | undefined = await plugin?.credentials(attempt);
      const own = await shared();
      const current = options.token || (tokenFile === undefined ? token : readToken(tokenFile)) || given?.token;
      return {
        headers: current === undefined ? own.headers : { Authorization: `Bearer ${current}` },
        tls: given?.cert === undefined || given.key === undefined ? own.tls : { cert: given.cert, key: given.key },
      };
    },
  };
}

/**
 * What KubeConfig makes of a user: client certificates, passwords and the old auth providers (OIDC among them). It is
 * made anew each time, since its providers keep what they once read; what they renew, they write into the user.
 */
async function applied(
  user: Readonly<Record<string, unknown>>,
  who: string,
): Promise<{ headers: Record<string, string>; tls: TlsSettings }> {
  const config = new KubeConfig();
  config.loadFromOptions({
    // Only there so that it makes an agent, which is not used: the server's side is not KubeConfig's to know.
    clusters: [{ name: 'cluster', server: 'https://localhost', skipTLSVerify: false }],
    users: [user],
    contexts: [{ name: 'context', cluster: 'cluster', user: user.name }],
    currentContext: 'context',
  });
  const options: RequestOptions & { headers: Record<string, string> } = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new TransportError(whyNoCredentials(error, who));
  }
  const { headers, auth, cert, key } = options;
  if (auth) headers.Authorization ??= `Basic ${Buffer.from(auth, 'utf8').toString('base64')}`;
  return { headers, tls: { ...(cert && key ? { cert: cert as Buffer, key: key as Buffer } : {}) } };
}

/**
 * A refresh token is used through openid-client, in which client-node 2.0 makes two mistakes: it hands over the issuer
 * as text, where only a URL is taken, and with a certificate authority of the issuer's own it cannot send a form. So
 * the one is made a URL, and the other is left out; NODE_EXTRA_CA_CERTS does its work.
 */
function usable(authProvider: unknown): unknown {
  const config = { ...(field(authProvider, 'config') as Record<string, unknown> | undefined) };
  const issuer = text(config, 'idp-issuer-url');
  if (issuer !== undefined && URL.canParse(issuer)) config['idp-issuer-url'] = new URL(issuer);
  delete config['idp-certificate-authority'];
  delete config['idp-certificate-authority-data'];
  return { ...(authProvider as object), config };
}

/** Never with the error's own message: some quote what a command printed or a server answered. */
function whyNoCredentials(error: unknown, who: string): Problem {
  // https://www.rfc-editor.org/rfc/rfc6749#section-5.2: the refresh token is spent, expired or revoked.
  if (field(error, 'error') === 'invalid_grant') {
    const message = `${who}: the identity provider does not accept the refresh token any more`;
    return { kind: 'status', status: 401, reason: 'Unauthorized', message };
  }
  const problem = fromNode(error);
  if (problem.kind === 'untrusted') {
    const message = `${who}: the identity provider's certificate is not trusted; NODE_EXTRA_CA_CERTS can name its authority`;
    return { kind: 'untrusted', message, code: problem.code };
  }
  const code = problem.kind === 'unreachable' && problem.code !== undefined ? ` (${problem.code})` : '';
  return { kind: 'unreachable', message: `${who}: the credentials cannot be had${code}` };
}

function checkAuthProvider(authProvider: unknown, who: string): void {
  const name = text(authProvider, 'name') ?? '';
  const known = ['oidc', 'gcp', 'azure'];
  if (known.includes(name) || text(authProvider, 'config', 'tokenFile') !== undefined) return;
  throw new ConfigurationError(`${who}: expected auth-provider ${known.join(', ')}, got ${JSON.stringify(name)}`);
}

function impersonatedHeaders(
  user: unknown,
  options: ConnectionOptions,
): Readonly<Record<string, string | readonly string[]>> {
  if (options.as) return impersonation({ user: options.as, groups: options.asGroups });
  const extra = field(user, 'as-user-extra');
  return impersonation({
    user: text(user, 'as'),
    uid: text(user, 'as-uid'),
    groups: list(user, 'as-groups').map(String),
    extra: Object.fromEntries(Object.keys(extra ?? {}).map((key) => [key, list(extra, key).map(String)])),
  });
}

/** What a plugin is told with provideClusterInfo. https://kubernetes.io/docs/reference/config-api/client-authentication.v1/#client-authentication-k8s-io-v1-Cluster */
function execCluster(
  server: URL,
  proxyUrl: string | undefined,
  tls: TlsSettings,
  cluster: Entry | undefined,
): Readonly<Record<string, unknown>> {
  const own = list(cluster?.value, 'extensions').find(
    (extension) => text(extension, 'name') === 'client.authentication.k8s.io/exec',
  );
  return {
    server: server.href.replace(/\/$/, ''),
    ...(tls.servername === undefined ? {} : { 'tls-server-name': tls.servername }),
    ...(tls.rejectUnauthorized === false ? { 'insecure-skip-tls-verify': true } : {}),
    ...(tls.ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(tls.ca).toString('base64') }),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
    ...(own === undefined ? {} : { config: field(own, 'extension') }),
  };
}

/** Found out now, where it is a line about the kubeconfig, not later, where it would pass for a fault of the network. */
function checkCertificates(tls: TlsSettings, user: string, file: string): void {
  if (tls.cert === undefined) return;
  try {
    createSecureContext(tls);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown error';
    throw new ConfigurationError(
      `${file}: the client certificate and key of user ${JSON.stringify(user)} cannot be used: ${code}`,
    );
  }
}

function pathIn(entry: Entry | undefined, file: string | undefined): string | undefined {
  return entry === undefined || file === undefined ? undefined : path.resolve(path.dirname(entry.file), file);
}

function dataOrFile(data: string | undefined, file: string | undefined, what: string): Buffer {
  return data === undefined ? readNamed(file ?? '', what) : Buffer.from(data, 'base64');
}

function readNamed(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new ConfigurationError(unreadable(what, file, error));
  }
}

/** At each request: the file is replaced while we run. https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo */
function readToken(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new TransportError({ kind: 'unreachable', message: unreadable('the tokenFile', file, error) });
  }
  if (token === '') throw new TransportError({ kind: 'unreachable', message: `the tokenFile ${file} is empty` });
  return token;
}

function unreadable(what: string, file: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `${what}: there is no file ${file}`;
    case 'EACCES':
    case 'EPERM':
      return `${what}: ${file} may not be read by this user (${code})`;
    case 'EISDIR':
      return `${what}: ${file} is a folder`;
    default:
      return `${what}: ${file} cannot be read (${code})`;
  }
}
