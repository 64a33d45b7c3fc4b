import { describe, expect, test } from 'vitest';
import { fromHttp, fromNode, fromStatus, type Problem, TransportError, whatToDo } from '../../../src/kube/problem.ts';

function status(code: number, reason: string, more: object = {}): Problem {
  return { kind: 'status', status: code, reason, message: '', ...more };
}

const TOO_LARGE = {
  details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] },
};

describe('whatToDo', () => {
  const rows: [string, Problem, ReturnType<typeof whatToDo>][] = [
    ['410 as HTTP answer', status(410, 'Gone'), 'relist'],
    ['410 as HTTP answer, with the reason of an expired continue token', status(410, 'Expired'), 'relist'],
    ['410 as ERROR event', fromStatus({ kind: 'Status', code: 410, reason: 'Expired' }), 'relist'],
    ['an ERROR event that says Expired without a code', fromStatus({ kind: 'Status', reason: 'Expired' }), 'relist'],
    ['an ERROR event that says Gone without a code', fromStatus({ kind: 'Status', reason: 'Gone' }), 'relist'],
    ['504 for a resource version of the future', status(504, 'Timeout', TOO_LARGE), 'relist'],
    ['500 for a resource version of the future', status(500, 'Timeout', TOO_LARGE), 'relist'],
    ['504 otherwise', status(504, 'Timeout'), 'retry'],
    ['401', status(401, 'Unauthorized'), 'refused'],
    ['403', status(403, 'Forbidden'), 'refused'],
    ['404', status(404, 'NotFound'), 'not-found'],
    ['400', status(400, 'BadRequest'), 'fatal'],
    ['405', status(405, 'MethodNotAllowed'), 'fatal'],
    ['406', status(406, 'NotAcceptable'), 'fatal'],
    ['422', status(422, 'Invalid'), 'fatal'],
    ['a redirect', status(302, 'HTTP 302'), 'fatal'],
    ['408', status(408, 'Timeout'), 'retry'],
    ['407, as from a proxy, which is unreachable where it answers a CONNECT', status(407, 'HTTP 407'), 'retry'],
    ['429', status(429, 'TooManyRequests'), 'retry'],
    ['500', status(500, 'InternalError'), 'retry'],
    ['502 of a load balancer', status(502, 'BadGateway'), 'retry'],
    ['503', status(503, 'ServiceUnavailable'), 'retry'],
    ['599', status(599, 'HTTP 599'), 'retry'],
    ['an ERROR event that is no Status', fromStatus(null), 'retry'],
    ['an unreachable server', { kind: 'unreachable', message: '' }, 'retry'],
    ['a body that broke off', { kind: 'interrupted', message: '' }, 'retry'],
    ['a certificate that is not trusted', { kind: 'untrusted', message: '', code: 'CERT_HAS_EXPIRED' }, 'refused'],
  ];
  test.each(rows)('%s', (_name, problem, expected) => {
    expect(whatToDo(problem)).toBe(expected);
  });
});

describe('fromHttp', () => {
  test('takes reason, message and details from a Status', () => {
    const body = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'jobs.batch is forbidden: User "system:serviceaccount:default:default" cannot list resource "jobs"',
      reason: 'Forbidden',
      details: { group: 'batch', kind: 'jobs', uid: 'not taken' },
      code: 403,
    };
    expect(fromHttp(403, {}, JSON.stringify(body))).toEqual({
      kind: 'status',
      status: 403,
      reason: 'Forbidden',
      message: body.message,
      details: { group: 'batch', kind: 'jobs' },
    });
  });

  const bodies: [string, number, string, { reason: string; message: string }][] = [
    ['nothing', 503, '', { reason: 'ServiceUnavailable', message: 'HTTP status 503' }],
    ['plain text', 401, 'Unauthorized\n', { reason: 'Unauthorized', message: 'Unauthorized' }],
    [
      'the page of a load balancer',
      502,
      '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>x</body></html>',
      { reason: 'BadGateway', message: '502 Bad Gateway' },
    ],
    [
      'a page without a title',
      500,
      '<!DOCTYPE html><script>var a = "<b>";</script><style>b{}</style><h1>Oh</h1>\n<p>no</p>',
      { reason: 'InternalError', message: 'Oh no' },
    ],
    ['JSON of something else', 429, '{"message":"slow\\ndown"}', { reason: 'TooManyRequests', message: 'slow down' }],
    [
      'JSON that was cut off',
      500,
      '{"kind":"Status","mess',
      { reason: 'InternalError', message: '{"kind":"Status","mess' },
    ],
    ['control characters', 418, 'a\u0007\u001b[31mb', { reason: 'HTTP 418', message: 'a [31mb' }],
  ];
  test.each(bodies)('makes one line of %s', (_name, code, body, expected) => {
    expect(fromHttp(code, {}, body)).toEqual({ kind: 'status', status: code, ...expected });
  });

  test.each(['x'.repeat(50_000), `<p>${'y '.repeat(50_000)}`, '<'.repeat(100_000), '\u{1f600}'.repeat(10_000)])(
    'makes a short line of a long body',
    (body) => {
      const { message } = fromHttp(500, {}, body);
      expect(message.length).toBeLessThanOrEqual(200);
      expect(message.isWellFormed()).toBe(true);
    },
  );

  const date = 'Sat, 21 Nov 2026 10:00:00 GMT';
  const retryAfter: [string, Record<string, string>, object, number | undefined][] = [
    ['seconds', { 'retry-after': '7' }, {}, 7_000],
    ['a date, against the server’s own clock', { 'retry-after': 'Sat, 21 Nov 2026 10:00:05 GMT', date }, {}, 5_000],
    ['a date that is past', { 'retry-after': 'Sat, 21 Nov 2026 09:00:00 GMT', date }, {}, 0],
    ['a date without the server’s clock', { 'retry-after': 'Sat, 21 Nov 2026 10:00:05 GMT' }, {}, undefined],
    ['garbage', { 'retry-after': 'soon', date }, {}, undefined],
    ['an hour, which is cut', { 'retry-after': '3600' }, {}, 60_000],
    ['a negative number', { 'retry-after': '-5' }, {}, undefined],
    ['the Status alone', {}, { retryAfterSeconds: 2 }, 2_000],
    ['both, the longer one', { 'retry-after': '1' }, { retryAfterSeconds: 3 }, 3_000],
    ['neither', {}, {}, undefined],
  ];
  test.each(retryAfter)('takes Retry-After from %s', (_name, headers, details, expected) => {
    const body = JSON.stringify({ kind: 'Status', reason: 'TooManyRequests', message: 'm', details });
    expect(fromHttp(429, headers, body).retryAfterMs).toBe(expected);
  });
});

describe('fromStatus', () => {
  test('of an ERROR event', () => {
    const object = {
      kind: 'Status',
      status: 'Failure',
      message: 'too old resource version: 1 (2)',
      reason: 'Expired',
      code: 410,
    };
    expect(fromStatus(object)).toEqual({ kind: 'status', status: 410, reason: 'Expired', message: object.message });
  });

  test('keeps causes and the time to wait', () => {
    const details = { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large' }], retryAfterSeconds: 1 };
    expect(fromStatus({ reason: 'Timeout', code: 504, message: 'm', details })).toEqual({
      kind: 'status',
      status: 504,
      reason: 'Timeout',
      message: 'm',
      retryAfterMs: 1_000,
      details,
    });
  });

  test.each([undefined, null, 'text', 7, [], {}, { code: 0 }, { code: 'x', reason: 5, message: {} }])(
    'takes %j for an internal error',
    (value) => {
      expect(fromStatus(value)).toMatchObject({ kind: 'status', status: 500, reason: 'InternalError' });
      expect(fromStatus(value).message).not.toBe('');
    },
  );
});

describe('fromNode', () => {
  function coded(code: string, message = 'm', cause?: unknown): Error {
    return Object.assign(new Error(message, { cause }), { code });
  }

  test.each([
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  ])('%s is about trust', (code) => {
    const expected = { kind: 'untrusted', message: 'm', code, caFile: '/ca.crt' };
    expect(fromNode(coded(code), { caFile: '/ca.crt' })).toEqual(expected);
  });

  test.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPROTO', 'ERR_PROXY_TUNNEL'])(
    '%s before the headers is an unreachable server',
    (code) => {
      expect(fromNode(coded(code))).toMatchObject({ kind: 'unreachable', code });
    },
  );

  test('within the body it is an interruption', () => {
    expect(fromNode(coded('ECONNRESET', 'aborted'), { phase: 'body' })).toMatchObject({
      kind: 'interrupted',
      message: 'aborted',
    });
  });

  test('the code is found down the chain of causes, the message stays the outermost', () => {
    const error = new Error('outer', { cause: new Error('middle', { cause: coded('ECONNREFUSED', 'inner') }) });
    expect(fromNode(error)).toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED', message: 'outer' });
  });

  test('of several addresses the first one speaks', () => {
    const attempts = [coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:1'), coded('ECONNREFUSED', 'other')];
    const error = Object.assign(new AggregateError(attempts), { code: 'ECONNREFUSED' });
    expect(fromNode(error)).toMatchObject({ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED ::1:1' });
  });

  test('a message that only looks like a code is not sorted by it', () => {
    expect(fromNode(new Error('CERT_HAS_EXPIRED'))).toMatchObject({ kind: 'unreachable', message: 'CERT_HAS_EXPIRED' });
  });

  test.each(['text', undefined, null, 5])('takes %j, which is no error', (thrown) => {
    expect(fromNode(thrown)).toMatchObject({ kind: 'unreachable', message: String(thrown) });
  });

  test('an error that is its own cause ends', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(fromNode(error)).toMatchObject({ kind: 'unreachable', message: 'loop' });
  });
});

test('a TransportError carries its problem, and the cause of it', () => {
  const cause = new Error('why');
  const problem = fromNode(cause);
  const error = new TransportError(problem);
  expect(error).toMatchObject({ name: 'TransportError', message: 'why', problem, cause });
});
