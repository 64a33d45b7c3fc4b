/** What comes over a connection, and files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { systemClock } from '../../src/clock.ts';
import { lastLines } from '../../src/explain/log-tail.ts';
import type { Emission } from '../../src/kube/collection.ts';
import { ConfigurationError } from '../../src/kube/configuration-error.ts';
import { follow } from '../../src/kube/follow.ts';
import { connectWithKubeconfig } from '../../src/kube/kubeconfig.ts';
import { fromHttp, fromStatus, TransportError } from '../../src/kube/problem.ts';
import type { Response, Transport } from '../../src/kube/transport.ts';
import { clean } from '../../src/report/clean.ts';
import { projectionOf } from '../../src/verdict/index.ts';
import { ONE_LINE } from '../unit/cli/support.ts';
import { JOBS } from '../unit/objects.ts';
import { anyCharacter, type InputKind, inputKind, refusalBy } from './kind.ts';
import { anyJson, anyObject } from './objects.ts';

const event = fc.record({
  type: fc.constantFrom('ADDED', 'ADDED', 'MODIFIED', 'MODIFIED', 'DELETED', 'BOOKMARK'),
  object: anyObject,
});
const notAnEvent = fc.record({ type: fc.constantFrom('ERROR', 'x', null), object: anyJson });
const line = fc.oneof(
  { weight: 8, arbitrary: event.map((one) => `${JSON.stringify(one)}\n`) },
  { weight: 1, arbitrary: fc.oneof(notAnEvent, anyJson).map((json) => `${JSON.stringify(json)}\n`) },
  { weight: 1, arbitrary: fc.oneof(fc.string({ unit: anyCharacter }), fc.uint8Array({ maxLength: 20 })) },
);
/** Cut anywhere, in the middle of a character too. */
const stream = fc
  .tuple(fc.array(line, { maxLength: 6 }), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }))
  .map(([parts, cuts]) => {
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
    const inner = cuts.map((cut) => Math.floor(cut * bytes.length)).toSorted((a, b) => a - b);
    const at = [0, ...inner, bytes.length];
    return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
  });

async function* bodyOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function responseOf(chunks: readonly Uint8Array[]): Response {
  const whole = Buffer.concat(chunks).toString();
  return {
    status: 200,
    headers: {},
    body: bodyOf(chunks),
    text: async () => whole,
    json: async () => JSON.parse(whole),
    destroy: () => {},
  };
}

const EMPTY_LIST = Buffer.from(JSON.stringify({ kind: 'JobList', metadata: { resourceVersion: '1' }, items: [] }));

/** Follows a collection through one LIST and one watch that says these bytes. */
async function watched(chunks: readonly Uint8Array[]): Promise<readonly Emission[]> {
  const ended = new AbortController();
  const answers = [[EMPTY_LIST], chunks];
  const transport: Transport = {
    async request() {
      const next = answers.shift();
      if (next !== undefined) return responseOf(next);
      ended.abort();
      throw new TransportError({ kind: 'unreachable', message: 'that was all' });
    },
    close: () => {},
  };
  const told: Emission[] = [];
  const spec = { resource: JOBS, namespace: 'app', mode: 'watch', keep: 'verdict' } as const;
  const deps = {
    transport,
    backoff: { next: () => 0 },
    project: projectionOf(JOBS, 'verdict'),
    signal: ended.signal,
    clock: { ...systemClock, sleep: async () => {} },
    random: () => 0,
    requestTimeoutMs: 1_000,
    resolve: async () => JOBS,
  };
  for await (const emission of follow(spec, deps)) told.push(emission);
  return told;
}

const folder = mkdtempSync(join(tmpdir(), 'kube-await-inputs-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const anyText = fc.oneof(
  fc.constantFrom('https://api:6443', 'x', '', 'aGVsbG8=', '/no/such/file', 'c', 'u', 'ctx'),
  fc.string(),
);
const fieldsOf = (...names: readonly string[]) =>
  fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof({ weight: 4, arbitrary: anyText }, { weight: 1, arbitrary: anyJson }),
    { maxKeys: 4 },
  );
const listOf = (name: string, entry: string, fields: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 5, arbitrary: fields.map((value) => [{ name, [entry]: value }]) },
    { weight: 1, arbitrary: anyJson },
  );
const kubeconfig = fc.record(
  {
    'current-context': fc.oneof({ weight: 5, arbitrary: fc.constant('ctx') }, { weight: 1, arbitrary: anyJson }),
    clusters: listOf(
      'c',
      'cluster',
      fc
        .tuple(
          fieldsOf(
            'certificate-authority',
            'certificate-authority-data',
            'insecure-skip-tls-verify',
            'proxy-url',
            'tls-server-name',
          ),
          fc.oneof(fc.constant('https://api:6443'), anyText),
        )
        .map(([fields, server]) => ({ server, ...fields })),
    ),
    users: listOf(
      'u',
      'user',
      fieldsOf(
        'token',
        'tokenFile',
        'client-certificate-data',
        'client-key-data',
        'username',
        'password',
        'as',
        'client-certificate',
      ),
    ),
    contexts: listOf(
      'ctx',
      'context',
      fieldsOf('namespace').map((fields) => ({ cluster: 'c', user: 'u', ...fields })),
    ),
  },
  { requiredKeys: [] },
);
const configFile = fc.oneof(
  { weight: 4, arbitrary: kubeconfig.map((config) => JSON.stringify(config)) },
  { weight: 1, arbitrary: anyJson.map((json) => JSON.stringify(json)) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
);

const LINES = 3;
const LIMIT = 8 * 1024;

export const BYTES: readonly InputKind[] = [
  inputKind('what a watch says, cut anywhere', stream, async (chunks) => {
    const told = await watched(chunks);
    const again = await watched([Buffer.concat(chunks)]);
    const shape = (emissions: readonly Emission[]) => JSON.stringify(lastObjects(emissions));
    if (shape(told) !== shape(again)) throw new Error('what was seen depends on where it was cut');
    return undefined;
  }),
  inputKind(
    'bodies of errors',
    fc.tuple(
      fc.integer({ min: 400, max: 599 }),
      fc.dictionary(fc.constantFrom('retry-after', 'date'), anyText),
      fc.oneof(
        anyJson.map((json) => JSON.stringify(json)),
        fc.string({ unit: anyCharacter }),
      ),
    ),
    ([status, headers, body]) => {
      for (const { reason, message } of [fromHttp(status, headers, body), fromStatus(parsed(body))]) {
        if (reason === '' || message === '') throw new Error('nothing is said');
        if (!ONE_LINE.test(clean(`${reason}: ${message}`))) throw new Error('not one line');
      }
      return undefined;
    },
  ),
  inputKind('kubeconfig files', configFile, (text) => {
    const file = join(folder, 'config');
    writeFileSync(file, text);
    const given = { files: [file], options: { requestTimeoutMs: 1 }, env: {}, fallbackNamespace: 'fallback' };
    return refusalBy(ConfigurationError, async () => {
      await connectWithKubeconfig(given)?.authorize({ renew: false });
    });
  }),
  inputKind('ends of logs', stream, async (chunks) => {
    const { lines } = await lastLines(bodyOf(chunks), { lines: LINES, bytesRead: 1024 * 1024 });
    if (lines.length > LINES) throw new Error('more lines than wanted');
    if (Buffer.byteLength(lines.join('\n')) > 4 * LIMIT) throw new Error('longer than it may be');
    if (lines.some((one) => !ONE_LINE.test(clean(`${one} `)))) throw new Error('not one line');
    return undefined;
  }),
];

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** What is known in the end. */
function lastObjects(emissions: readonly Emission[]): unknown {
  const snapshots = emissions.filter((emission) => emission.what === 'snapshot');
  return [...(snapshots.at(-1)?.objects.values() ?? [])];
}
