import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { field, list, text } from '../json.ts';
import { isatty } from '../tty.ts';
import { ConfigurationError } from './configuration-error.ts';
import type { Environment } from './options.ts';
import { TransportError } from './problem.ts';

/** What a plugin hands out. */
export interface ExecCredentials {
  readonly token: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * A command that a kubeconfig names for getting credentials.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export interface ExecPlugin {
  /** @throws TransportError */
  credentials(attempt: { renew: boolean }): Promise<ExecCredentials>;
}

export interface ExecPluginContext {
  /** The user's name in the kubeconfig, for messages. */
  readonly user: string;
  /** Of the kubeconfig, which a command with a slash is relative to. */
  readonly dir: string;
  /** For the plugins that ask for it (provideClusterInfo). */
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly env: Environment;
  /** The wall clock: what a plugin hands out expires at a date. */
  readonly now?: () => number;
}

const API_VERSIONS: readonly unknown[] = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** Without a person at a terminal a plugin has nothing to wait for but its server. */
const TIME_LIMIT_MS = 60_000;
/** Requests that were refused in the same moment share one renewal. */
const RENEWAL_MS = 5_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** How long the standard error of a plugin that has failed is read, in milliseconds. */
const LAST_WORDS_MS = 1_000;
/** How much of it is kept, in characters; its last line is shown. */
const MAX_ERROR_LENGTH = 2_000;

/**
 * Our own rather than client-node's ExecAuth, which leaves KUBERNETES_EXEC_INFO out, gives the plugin a standard input
 * that never ends, asks it once for each request that comes at the same time, and makes its output part of its errors.
 * @throws ConfigurationError, also where the command is not there
 */
export function createExecPlugin(spec: unknown, context: ExecPluginContext): ExecPlugin {
  const { user, env, now = Date.now } = context;
  const who = `user ${JSON.stringify(user)}`;
  const apiVersion = text(spec, 'apiVersion');
  if (!API_VERSIONS.includes(apiVersion)) {
    throw new ConfigurationError(
      `${who}: expected exec.apiVersion to be ${API_VERSIONS.join(' or ')}, got ${JSON.stringify(apiVersion ?? '')}`,
    );
  }
  const name = text(spec, 'command');
  if (name === undefined) throw new ConfigurationError(`${who}: exec has no command`);
  const command = name.includes('/') || name.includes(path.sep) ? path.resolve(context.dir, name) : name;
  if (!isThere(command, env)) {
    const hint = text(spec, 'installHint')?.trim().split('\n')[0];
    throw new ConfigurationError(
      `${who}: the credential plugin ${JSON.stringify(name)} is not there${hint === undefined ? '' : `: ${hint}`}`,
    );
  }
  const mode = text(spec, 'interactiveMode') ?? 'IfAvailable';
  const interactive = mode !== 'Never' && isatty(0);
  if (mode === 'Always' && !interactive) {
    throw new ConfigurationError(`${who}: the credential plugin ${JSON.stringify(name)} needs a terminal`);
  }
  const info = {
    kind: 'ExecCredential',
    apiVersion,
    spec: { interactive, ...(field(spec, 'provideClusterInfo') === true ? { cluster: context.cluster } : {}) },
  };
  const args = list(spec, 'args').map(String);
  const pluginEnv = {
    ...env,
    ...Object.fromEntries(list(spec, 'env').map((entry) => [text(entry, 'name') ?? '', text(entry, 'value') ?? ''])),
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  };

  let kept: { credentials: ExecCredentials; expiresAt: number; madeAt: number } | undefined;
  let running: Promise<ExecCredentials> | undefined;

  async function renew(): Promise<ExecCredentials> {
    const fail = (what: string): TransportError =>
      new TransportError({
        kind: 'credentials',
        message: `${who}: the credential plugin ${JSON.stringify(name)} ${what}`,
      });
    const output = await run({ command, args, env: pluginEnv, interactive, fail });
    let answer: unknown;
    try {
      answer = JSON.parse(output);
    } catch {
      // Not the parser's message, which quotes the output.
    }
    const credentials = {
      token: text(answer, 'status', 'token'),
      cert: text(answer, 'status', 'clientCertificateData'),
      key: text(answer, 'status', 'clientKeyData'),
    };
    if (field(answer, 'apiVersion') !== apiVersion) throw fail(`did not answer in ${apiVersion}`);
    if (credentials.token === undefined && (credentials.cert === undefined || credentials.key === undefined)) {
      throw fail('gave neither a token nor a certificate with its key');
    }
    const expiresAt = Date.parse(text(answer, 'status', 'expirationTimestamp') ?? '');
    kept = {
      credentials,
      expiresAt: Number.isNaN(expiresAt) ? Number.POSITIVE_INFINITY : expiresAt,
      madeAt: now(),
    };
    return credentials;
  }

  return {
    async credentials(attempt) {
      const fresh = kept !== undefined && now() < kept.expiresAt;
      const renewed = kept !== undefined && now() - kept.madeAt < RENEWAL_MS;
      if (kept !== undefined && fresh && (!attempt.renew || renewed)) return kept.credentials;
      running ??= renew().finally(() => {
        running = undefined;
      });
      return await running;
    },
  };
}

function run(given: {
  command: string;
  args: readonly string[];
  env: Environment;
  interactive: boolean;
  fail: (what: string) => TransportError;
}): Promise<string> {
  const { command, args, env, interactive, fail } = given;
  const { setTimeout: delay } = process.getBuiltinModule('node:timers/promises');
  return new Promise((resolve, reject) => {
    // Loaded where there is a plugin only.
    const child = process.getBuiltinModule('node:child_process').spawn(command, args, {
      env,
      // A plugin may ask a person to log in, and says so on stderr.
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', interactive || isatty(2) ? 'inherit' : 'pipe'],
      ...(interactive ? {} : { timeout: TIME_LIMIT_MS }),
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill();
      else chunks.push(chunk);
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-MAX_ERROR_LENGTH);
    });
    child.once('error', (error) => {
      reject(fail(`could not be started: ${'code' in error ? error.code : 'unknown error'}`));
    });
    // What a plugin leaves running in the background, such as a cache, may keep stderr open.
    const stdoutEnd = new Promise((end) => child.stdout?.once('close', end));
    const stderrEnd = new Promise((end) => child.stderr?.once('close', end) ?? end(undefined));
    child.once('exit', async (code, signal) => {
      await stdoutEnd;
      if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else await Promise.race([stderrEnd, delay(LAST_WORDS_MS, undefined, { ref: false })]);
      child.stderr?.destroy();
      reject(fail(withLastLine(code === null ? `was ended by ${signal}` : `failed with exit code ${code}`, errors)));
    });
  });
}

function withLastLine(what: string, errors: string): string {
  const line = errors.split(/[\r\n]+/).findLast((one) => one.trim() !== '');
  return line === undefined ? what : `${what}: ${line.trim()}`;
}

function isThere(command: string, env: Environment): boolean {
  const folders = path.isAbsolute(command) ? [''] : (env.PATH ?? env.Path ?? '').split(path.delimiter);
  const endings = process.platform === 'win32' ? ['', '.exe', '.cmd', '.bat'] : [''];
  return folders.some((folder) =>
    endings.some((ending) => {
      try {
        accessSync(path.join(folder, command + ending), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }),
  );
}
