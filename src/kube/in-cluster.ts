import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { text } from '../json.ts';
import { ConfigurationError } from './configuration-error.ts';
import type { Connection, RequestAuth } from './connection.ts';
import { impersonation } from './impersonation.ts';
import { proxyFromEnvironment } from './no-proxy.ts';
import { type ConnectionOptions, type Environment, OWN_TOKEN } from './options.ts';
import { TransportError } from './problem.ts';

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api */
export const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** As client-go's inClusterClientConfig.Possible decides it. */
export function isInCluster(env: Environment, dir: string): boolean {
  if (!env.KUBERNETES_SERVICE_HOST) return false;
  try {
    return statSync(path.join(dir, 'token')).isFile();
  } catch {
    return false;
  }
}

export function podNamespace(env: Environment, dir: string): string {
  if (env.POD_NAMESPACE) return env.POD_NAMESPACE;
  try {
    return readFileSync(path.join(dir, 'namespace'), 'utf8').trim() || 'default';
  } catch {
    return 'default';
  }
}

/**
 * The pod that a service account token was issued for, by the token's own claims; undefined where it names none.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#schema-for-service-account-private-claims
 */
export function podOfToken(
  dir = SERVICE_ACCOUNT_DIR,
): { readonly namespace: string; readonly name: string; readonly uid: string | undefined } | undefined {
  try {
    const [, payload = ''] = readFileSync(path.join(dir, 'token'), 'utf8').split('.');
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const of = (...keys: readonly string[]): string | undefined => text(claims, 'kubernetes.io', ...keys);
    const namespace = of('namespace');
    const name = of('pod', 'name');
    return namespace && name ? { namespace, name, uid: of('pod', 'uid') } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The way from a pod to its own cluster, without any of the kubeconfig code.
 * @throws ConfigurationError where the pod has no service account token
 */
export function connectInCluster(options: ConnectionOptions, env: Environment, dir: string): Connection {
  const server = serverOf(env);
  const tokenFile = path.join(dir, 'token');
  const caFile = path.join(dir, 'ca.crt');
  const verify = options.insecureSkipTlsVerify !== true;
  const proxyUrl = proxyFromEnvironment(server, env);
  const impersonated = impersonation({ user: options.as, groups: options.asGroups });

  const authorize = async (): Promise<RequestAuth> => ({
    headers: { Authorization: `Bearer ${options.token || read(tokenFile).trim()}`, ...impersonated },
    tls: verify ? { ca: read(caFile) } : { rejectUnauthorized: false },
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  });

  checkReadable(options.token ? [] : [tokenFile], verify ? [caFile] : []);
  const namespace = podNamespace(env, dir);
  const credentials = options.token ? OWN_TOKEN : `the token in ${tokenFile}`;
  return { server, source: 'in-cluster', namespace, credentials, ...(verify ? { caFile } : {}), authorize };
}

function serverOf(env: Environment): URL {
  const host = env.KUBERNETES_SERVICE_HOST ?? '';
  const port = env.KUBERNETES_SERVICE_PORT || '443';
  const text = `https://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(text)) {
    throw new ConfigurationError(
      `KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: ${JSON.stringify(`${host}:${port}`)} is not an address`,
    );
  }
  return new URL(text);
}

function checkReadable(tokenFiles: readonly string[], caFiles: readonly string[]): void {
  for (const file of tokenFiles) {
    const code = readErrorOf(file);
    if (code === undefined) continue;
    throw new ConfigurationError(
      code === 'ENOENT' || code === 'ENOTDIR'
        ? `this pod has no service account token (${file}): automountServiceAccountToken may be false`
        : `the service account token ${file} cannot be read: ${code}`,
    );
  }
  for (const file of caFiles) {
    const code = readErrorOf(file);
    if (code !== undefined) throw new ConfigurationError(`the cluster's certificate ${file} cannot be read: ${code}`);
  }
}

function readErrorOf(file: string): string | undefined {
  try {
    readFileSync(file);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/**
 * Read anew for each request: kubelet replaces the token well before it expires, and a request costs far more than a
 * small file out of memory does. https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
 */
function read(file: string): string {
  let text = '';
  let code = 'it is empty';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    code = codeOf(error);
  }
  if (text.trim() !== '') return text;
  throw new TransportError({ kind: 'unreachable', message: `${file} cannot be read: ${code}` });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
