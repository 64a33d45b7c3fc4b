import { describe, expect, test } from 'vitest';
import { type Environment, type Invocation, parse } from '../../../src/cli/invocation.ts';
import { outcome, words } from './support.ts';

function invocation(line: string, env: Environment = {}): Invocation | { readonly refused: string } {
  return outcome(() => parse(words(line), env));
}

const NO_CONNECTION = {
  kubeconfig: undefined,
  context: undefined,
  server: undefined,
  token: undefined,
  as: undefined,
  asGroups: undefined,
  insecureSkipTlsVerify: undefined,
  requestTimeoutMs: 30_000,
};
const TEXT = { format: 'text', quiet: false, heartbeatMs: 30_000, logs: 20, terminationLog: undefined };

/** What a wait for one Job is when nothing else is said. */
const WAIT = {
  mode: 'wait',
  targets: [expect.objectContaining({ kind: 'job', select: { by: 'name', name: 'x' } })],
  namespace: undefined,
  policy: {
    goals: undefined,
    allNamespaces: undefined,
    onMissing: undefined,
    missingGraceMs: undefined,
    expect: undefined,
    atLeast: undefined,
    container: undefined,
    stuckAfterMs: undefined,
  },
  timeoutMs: 600_000,
  onRefused: 'fail',
  connection: NO_CONNECTION,
  output: TEXT,
  command: undefined,
};

describe('what is asked for', () => {
  const { command: _, ...CHECK } = { ...WAIT, mode: 'check', timeoutMs: 10_000 };
  const { command: __, ...RBAC } = { ...WAIT, mode: 'rbac', serviceAccount: 'kube-await', explainFailures: false };
  test.each<[string, string, unknown]>([
    ['a wait', 'job/x', WAIT],
    ['a wait and a command', 'job/x -- sh -c "exit 3" --help', { ...WAIT, command: ['sh', '-c', 'exit 3', '--help'] }],
    ['a check', 'check job/x', CHECK],
    ['a check, options first', '-q check job/x', { ...CHECK, output: { ...TEXT, quiet: true } }],
    ['a check with its own timeout', 'check job/x --timeout 1m', { ...CHECK, timeoutMs: 60_000 }],
    ['a Role', 'rbac job/x', RBAC],
    [
      'a Role for an account, with logs',
      'rbac job/x --service-account web --explain-failures',
      { ...RBAC, serviceAccount: 'web', explainFailures: true },
    ],
    ['a Job that is called check', 'job x -- check', { ...WAIT, command: ['check'] }],
    ['help', '--help', { mode: 'help', topic: 'wait' }],
    ['help, short', '-h', { mode: 'help', topic: 'wait' }],
    ['help, whatever else is there', 'job a pod b --timeout 5 -h', { mode: 'help', topic: 'wait' }],
    ['help of a check', 'check --help', { mode: 'help', topic: 'check' }],
    ['help of rbac, options first', '-h rbac', { mode: 'help', topic: 'rbac' }],
    ['help of completion', 'completion --help', { mode: 'help', topic: 'completion' }],
    ['the version', '--version', { mode: 'version' }],
    ['help before the version', '--version --help', { mode: 'help', topic: 'wait' }],
    ['no help', 'job/x --help=false', WAIT],
    ['completion', 'completion', { mode: 'completion', shell: 'bash' }],
    ['completion of zsh', 'completion zsh', { mode: 'completion', shell: 'zsh' }],
  ])('%s: %s', (_, line, expected) => {
    expect(invocation(line)).toEqual(expected);
  });

  test('completion of the shell that is in use', () => {
    expect(invocation('completion', { SHELL: '/usr/bin/zsh' })).toEqual({ mode: 'completion', shell: 'zsh' });
  });

  test.each([
    ['nothing', '', 'expected a target (KIND/NAME, KIND NAME... or KIND -l SELECTOR), got none; see kube-await --help'],
    [
      'only options',
      '-q',
      'expected a target (KIND/NAME, KIND NAME... or KIND -l SELECTOR), got none; see kube-await --help',
    ],
    [
      'a check of nothing',
      'check',
      'expected a target (KIND/NAME, KIND NAME... or KIND -l SELECTOR), got none; see kube-await --help',
    ],
    [
      'a command and no target',
      '-- sh',
      'expected a target (KIND/NAME, KIND NAME... or KIND -l SELECTOR), got none; see kube-await --help',
    ],
    ['a subcommand further back', 'job/x check', 'expected KIND/NAME or KIND -l SELECTOR behind "job/x", got "check"'],
    ['no command behind --', 'job/x --', '--: expected a COMMAND behind it, got nothing'],
    ['a command of a check', 'check job/x -- sh', 'check: expected no COMMAND, got "-- sh"'],
    ['a command of rbac', 'rbac job/x -- sh', 'rbac: expected no COMMAND, got "-- sh"'],
    ['an option of rbac', 'job/x --explain-failures', '--explain-failures: expected it with rbac only, got it without'],
    [
      'an account of rbac',
      'check job/x --service-account=a',
      '--service-account: expected it with rbac only, got it without',
    ],
    [
      'an account that can be none',
      'rbac job/x --service-account=A:b',
      '--service-account: expected a name of a serviceaccount (lower-case letters, digits, "-" and "."), got "A:b"',
    ],
    ['another shell', 'completion fish', 'completion: expected bash or zsh, got "fish"'],
    ['two shells', 'completion bash zsh', 'completion: expected bash or zsh, got "bash zsh"'],
    ['an option of completion', 'completion -q', 'completion: expected no option, got "-q"'],
    ['an unknown option', 'job/x --timout 5s', 'unknown option "--timout", did you mean --timeout?'],
    ['an unknown option before help', '--bogus --help', 'unknown option "--bogus"'],
    [
      'what is wrong with a built-in kind, before a cluster is asked',
      'unknown/a deploy/x --for=complete',
      '--for=complete: expected a job, pod or cronjob, got "deployment/x"',
    ],
  ])('%s is refused: %s', (_, line, refused) => {
    expect(invocation(line)).toEqual({ refused });
  });
});

describe('options', () => {
  const connection = (part: object) => ({ ...WAIT, connection: { ...NO_CONNECTION, ...part } });
  const output = (part: object) => ({ ...WAIT, output: { ...TEXT, ...part } });
  const policy = (part: object) => ({ ...WAIT, policy: { ...WAIT.policy, ...part } });
  test.each<[string, string, unknown]>([
    ['-n', '-n infra', { ...WAIT, namespace: 'infra' }],
    ['an empty -n is none, as in kubectl', '-n=', WAIT],
    ['--context', '--context a', connection({ context: 'a' })],
    ['an empty --context is none', '--context=', WAIT],
    ['--kubeconfig', '--kubeconfig /a', connection({ kubeconfig: '/a' })],
    ['--server', '-s https://a:6443', connection({ server: 'https://a:6443' })],
    ['--token', '--token a', connection({ token: 'a' })],
    ['--as', '--as me', connection({ as: 'me' })],
    ['--as-group', '--as me --as-group a --as-group b,c', connection({ as: 'me', asGroups: ['a', 'b,c'] })],
    ['--insecure-skip-tls-verify', '--insecure-skip-tls-verify', connection({ insecureSkipTlsVerify: true })],
    [
      '--insecure-skip-tls-verify=false',
      '--insecure-skip-tls-verify=false',
      connection({ insecureSkipTlsVerify: false }),
    ],
    ['--request-timeout', '--request-timeout 1m', connection({ requestTimeoutMs: 60_000 })],
    ['--request-timeout in seconds', '--request-timeout 5', connection({ requestTimeoutMs: 5_000 })],
    ['--request-timeout 0', '--request-timeout 0', connection({ requestTimeoutMs: 0 })],
    ['-o json', '-o json', output({ format: 'json' })],
    ['-q', '-q', output({ quiet: true })],
    ['-q=false', '-q=false', WAIT],
    ['--heartbeat', '--heartbeat 1m', output({ heartbeatMs: 60_000 })],
    ['--logs', '--logs 0', output({ logs: 0 })],
    ['--termination-log', '--termination-log /a', output({ terminationLog: '/a' })],
    ['an empty --termination-log', '--termination-log=', output({ terminationLog: '' })],
    ['--timeout', '--timeout 1h30m', { ...WAIT, timeoutMs: 5_400_000 }],
    ['--timeout without end', '--timeout -1ns', { ...WAIT, timeoutMs: Number.POSITIVE_INFINITY }],
    ['--on-refused', '--on-refused wait', { ...WAIT, onRefused: 'wait' }],
    [
      '--on-missing',
      '--on-missing fail',
      policy({ onMissing: { value: 'fail', from: 'argv', shown: '--on-missing' } }),
    ],
  ])('%s', (_, options, expected) => {
    expect(invocation(`${options} job/x`)).toEqual(expected);
  });

  test.each([
    ['--timeout 90', '--timeout: expected a duration with a unit, such as 90s, got "90"'],
    ['--timeout soon', '--timeout: expected a duration such as 90s, 10m or 1h30m, got "soon"'],
    ['--timeout -n', '--timeout: expected a duration such as 90s, 10m or 1h30m, got "-n"'],
    ['--timeout 1s --timeout=2s', '--timeout: expected it once, got it twice: "1s" and "2s"'],
    ['-n a --namespace b', '--namespace: expected it once, got it twice: "a" and "b"'],
    ['--token a --token b', '--token: expected it once, got it twice'],
    ['-q --quiet', '--quiet: expected it once, got it twice'],
    ['-q=maybe', '-q: expected true or false, got "maybe"'],
    ['--on-missing=ignore', '--on-missing: expected wait, fail or succeed, got "ignore"'],
    ['--on-missing=Wait', '--on-missing: expected wait, fail or succeed, got "Wait"'],
    ['--on-refused=', '--on-refused: expected fail or wait, got ""'],
    ['-o yaml', '-o: expected text or json, got "yaml"'],
    ['--expect 0', '--expect: expected a whole number of at least 1, got "0"'],
    ['--at-least 1e3', '--at-least: expected a whole number of at least 1, got "1e3"'],
    ['--at-least -1', '--at-least: expected a whole number of at least 1, got "-1"'],
    ['--logs many', '--logs: expected a whole number of at least 0, got "many"'],
    ['--heartbeat -1s', '--heartbeat: expected a duration of 0 or more, got "-1s"'],
    ['--missing-grace -1s', '--missing-grace: expected a duration of 0 or more, got "-1s"'],
    ['--stuck-after 5', '--stuck-after: expected a duration with a unit, such as 5s, got "5"'],
    ['--request-timeout -5', '--request-timeout: expected a duration of 0 (none) or more, got "-5"'],
    ['--namespace In_fra', '--namespace: expected a namespace (lower-case letters, digits and "-"), got "In_fra"'],
    ['--container a/b', '--container: expected a container (lower-case letters, digits and "-"), got "a/b"'],
    ['--as-group a', '--as-group: expected --as as well, got a group without a user'],
  ])('%s is refused', (options, refused) => {
    expect(invocation(`${options} job/x`)).toEqual({ refused });
  });
});

describe('the environment', () => {
  test('sets options', () => {
    const env = {
      KUBE_AWAIT_TIMEOUT: '1m',
      KUBE_AWAIT_ON_REFUSED: 'wait',
      KUBE_AWAIT_NAMESPACE: 'infra',
      KUBE_AWAIT_CONTEXT: 'a',
      KUBE_AWAIT_TOKEN: 'b',
      KUBE_AWAIT_SERVER: 'https://c',
      KUBE_AWAIT_AS: 'me',
      KUBE_AWAIT_AS_GROUP: 'd\ne',
      KUBE_AWAIT_INSECURE_SKIP_TLS_VERIFY: 'true',
      KUBE_AWAIT_REQUEST_TIMEOUT: '5',
      KUBE_AWAIT_OUTPUT: 'json',
      KUBE_AWAIT_QUIET: '1',
      KUBE_AWAIT_HEARTBEAT: '0',
      KUBE_AWAIT_LOGS: '5',
      KUBE_AWAIT_TERMINATION_LOG: '/f',
      KUBE_AWAIT_MISSING_GRACE: '1s',
    };
    expect(invocation('job/x', env)).toEqual({
      ...WAIT,
      timeoutMs: 60_000,
      onRefused: 'wait',
      namespace: 'infra',
      connection: {
        kubeconfig: undefined,
        context: 'a',
        token: 'b',
        server: 'https://c',
        as: 'me',
        asGroups: ['d', 'e'],
        insecureSkipTlsVerify: true,
        requestTimeoutMs: 5_000,
      },
      output: { format: 'json', quiet: true, heartbeatMs: 0, logs: 5, terminationLog: '/f' },
      policy: { ...WAIT.policy, missingGraceMs: { value: 1_000, from: 'env', shown: 'KUBE_AWAIT_MISSING_GRACE' } },
    });
  });

  test.each<[string, string, Environment, unknown]>([
    ['loses against the command line', '--timeout 5s', { KUBE_AWAIT_TIMEOUT: '1m' }, { ...WAIT, timeoutMs: 5_000 }],
    ['is not even read then', '--timeout 5s', { KUBE_AWAIT_TIMEOUT: 'soon' }, { ...WAIT, timeoutMs: 5_000 }],
    [
      'loses as a whole where an option repeats',
      '--for ready',
      { KUBE_AWAIT_FOR: 'complete' },
      { ...WAIT, policy: { ...WAIT.policy, goals: { value: [{ for: 'ready' }], from: 'argv', shown: '--for' } } },
    ],
    ['counts as unset when empty', '', { KUBE_AWAIT_TIMEOUT: '', KUBE_AWAIT_FOR: '', KUBE_AWAIT_QUIET: '' }, WAIT],
    [
      'of a Service called kube-await disturbs nothing',
      '',
      {
        KUBE_AWAIT_SERVICE_HOST: '10.0.0.1',
        KUBE_AWAIT_SERVICE_PORT: '80',
        KUBE_AWAIT_SERVICE_PORT_HTTP: '80',
        KUBE_AWAIT_PORT: 'tcp://10.0.0.1:80',
        KUBE_AWAIT_PORT_443_TCP: 'tcp://10.0.0.1:80',
        KUBE_AWAIT_PORT_443_TCP_ADDR: '10.0.0.1',
        KUBE_AWAIT_PORT_443_TCP_PORT: '443',
        KUBE_AWAIT_PORT_443_TCP_PROTO: 'tcp',
      },
      WAIT,
    ],
    ['with other names is not read', '', { KUBE_AWAIT_BOGUS: 'x', kube_await_timeout: 'x', TIMEOUT: 'x' }, WAIT],
    [
      'cannot ask for help, the version or a selection',
      '',
      {
        KUBE_AWAIT_HELP: 'true',
        KUBE_AWAIT_VERSION: 'true',
        KUBE_AWAIT_ALL: 'true',
        KUBE_AWAIT_SELECTOR: 'a',
        KUBE_AWAIT_FIELD_SELECTOR: 'a',
      },
      WAIT,
    ],
    [
      "does not set rbac's options elsewhere",
      '',
      { KUBE_AWAIT_SERVICE_ACCOUNT: 'No/Name', KUBE_AWAIT_EXPLAIN_FAILURES: 'x' },
      WAIT,
    ],
  ])('%s', (_, options, env, expected) => {
    expect(invocation(`${options} job/x`, env)).toEqual(expected);
  });

  test.each([
    ['KUBE_AWAIT_TIMEOUT', '90', 'KUBE_AWAIT_TIMEOUT: expected a duration with a unit, such as 90s, got "90"'],
    ['KUBE_AWAIT_ON_MISSING', 'x', 'KUBE_AWAIT_ON_MISSING: expected wait, fail or succeed, got "x"'],
    ['KUBE_AWAIT_QUIET', 'yes', 'KUBE_AWAIT_QUIET: expected true or false, got "yes"'],
    ['KUBE_AWAIT_EXPECT', '1e3', 'KUBE_AWAIT_EXPECT: expected a whole number of at least 1, got "1e3"'],
    [
      'KUBE_AWAIT_NAMESPACE',
      'a b',
      'KUBE_AWAIT_NAMESPACE: expected a namespace (lower-case letters, digits and "-"), got "a b"',
    ],
    [
      'KUBE_AWAIT_FOR',
      'ready\ndone',
      'KUBE_AWAIT_FOR: expected complete, finished, ready, create, delete, condition=TYPE[=STATUS] or jsonpath=EXPR[=VALUE], got "done"',
    ],
    [
      'KUBE_AWAIT_CONTAINER',
      '-',
      'KUBE_AWAIT_CONTAINER: expected a container (lower-case letters, digits and "-"), got "-"',
    ],
    ['KUBE_AWAIT_AS_GROUP', 'a', 'KUBE_AWAIT_AS_GROUP: expected --as as well, got a group without a user'],
  ])('a bad %s is refused by its name: %j', (name, value, refused) => {
    expect(invocation('job/x', { [name]: value })).toEqual({ refused });
  });
});
