import { describe, expect, test } from 'vitest';
import {
  fromHttp,
  fromNode,
  fromStatus,
  isNotServed,
  notServed,
  type Problem,
  TransportError,
  whatToDo,
} from '../../../src/kube/problem.ts';

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
    [
      'one cause among others says so',
      status(500, 'Timeout', { details: { causes: [{ reason: 'Other' }, ...TOO_LARGE.details.causes] } }),
      'relist',
    ],
    ['another cause', status(400, 'BadRequest', { details: { causes: [{ reason: 'Other' }] } }), 'permanent'],
    ['details without a cause', status(500, 'Timeout', { details: { name: 'x' } }), 'retry'],
    ['504 otherwise', status(504, 'Timeout'), 'retry'],
    ['401', status(401, 'Unauthorized'), 'refused'],
    ['403', status(403, 'Forbidden'), 'refused'],
    ['404', status(404, 'NotFound'), 'not-found'],
    ['400', status(400, 'BadRequest'), 'permanent'],
    ['405', status(405, 'MethodNotAllowed'), 'permanent'],
    ['406', status(406, 'NotAcceptable'), 'permanent'],
    ['415', status(415, 'UnsupportedMediaType'), 'permanent'],
    ['422', status(422, 'Invalid'), 'permanent'],
    ['a redirect', fromHttp(302, { location: 'https://login.test' }, '<p>moved'), 'permanent'],
    ['a redirect without a Location', fromHttp(300, {}, ''), 'permanent'],
    ['400 from something in front', fromHttp(400, {}, 'plain HTTP request was sent to HTTPS port'), 'relist'],
    ['422 from something in front', fromHttp(422, {}, '{"error":"no"}'), 'relist'],
    ['409', status(409, 'Conflict'), 'relist'],
    ['413', status(413, 'RequestEntityTooLarge'), 'relist'],
    ['403 from something in front', fromHttp(403, {}, 'RBAC: access denied'), 'refused'],
    ['a credential plugin that fails', { kind: 'credentials', message: '' }, 'refused'],
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

describe('a kind that is not served', () => {
  test.each([
    [{ group: 'example.com', name: 'widgets' }, 'the API server serves no widgets.example.com'],
    [{ group: '', name: 'widgets' }, 'the API server serves no widgets'],
  ])('%o', (kind, message) => {
    expect(notServed(kind)).toEqual({ kind: 'status', status: 404, reason: 'NotServed', message });
    expect(isNotServed(notServed(kind))).toBe(true);
    expect(whatToDo(notServed(kind))).toBe('not-found');
  });

  test('is not any path that is not found, nor any other problem', () => {
    expect(isNotServed(status(404, 'NotFound'))).toBe(false);
    expect(isNotServed({ kind: 'unreachable', message: 'NotServed', reason: 'NotServed' } as Problem)).toBe(false);
  });
});

describe('fromHttp', () => {
  // As the API server names them; an answer of a proxy has no name.
  test.each([
    [400, 'BadRequest'],
    [401, 'Unauthorized'],
    [403, 'Forbidden'],
    [404, 'NotFound'],
    [405, 'MethodNotAllowed'],
    [406, 'NotAcceptable'],
    [408, 'Timeout'],
    [409, 'Conflict'],
    [410, 'Gone'],
    [413, 'RequestEntityTooLarge'],
    [415, 'UnsupportedMediaType'],
    [422, 'Invalid'],
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
    [502, 'BadGateway'],
    [503, 'ServiceUnavailable'],
    [504, 'Timeout'],
    [418, 'HTTP 418'],
  ])('%i is %s', (code, reason) => {
    expect(fromHttp(code, {}, '')).toStrictEqual({
      kind: 'status',
      status: code,
      reason,
      message: `HTTP status ${code}`,
      from: 'intermediary',
    });
  });

  test('a reason and a message count only in a Status', () => {
    const body = JSON.stringify({ kind: 'Error', reason: 'Odd', message: 'm', details: { name: 'x' } });
    expect(fromHttp(403, {}, body)).toStrictEqual({
      kind: 'status',
      status: 403,
      reason: 'Forbidden',
      message: 'm',
      from: 'intermediary',
    });
  });

  test('a Status comes from the API server', () => {
    expect(fromHttp(403, {}, '{"kind":"Status","message":"m"}')).not.toHaveProperty('from');
  });

  test.each([
    [301, { location: 'https://login.test/?next=%2F' }, 'Redirect', 'Location https://login.test/?next=%2F'],
    [307, { location: `https://x/${'y'.repeat(300)}` }, 'Redirect', `Location https://x/${'y'.repeat(189)}…`],
    [302, {}, 'Redirect', 'moved'],
    [400, { location: 'https://login.test' }, 'BadRequest', 'moved'],
  ])('%i with %j names the Location of a redirect', (code, headers, reason, message) => {
    expect(fromHttp(code, headers, 'moved')).toMatchObject({ reason, message });
  });

  test.each([
    ['a reason that is empty', { reason: '', message: 'm' }, { reason: 'Forbidden', message: 'm' }],
    ['no message: the body', { reason: 'Odd' }, { reason: 'Odd', message: '{"kind":"Status","reason":"Odd"}' }],
  ])('a Status with %s', (_, body, expected) => {
    expect(fromHttp(403, {}, JSON.stringify({ kind: 'Status', ...body }))).toMatchObject(expected);
  });

  test('what a Status has on details is kept, as far as it is what it should be', () => {
    const details = {
      name: 'x',
      group: 'g',
      kind: 'k',
      causes: [{ reason: 'r', message: 'm', field: 'f' }, { reason: '', message: 5, field: null }, 'text', null],
      retryAfterSeconds: 0,
    };
    const of = (given: unknown) =>
      fromHttp(403, {}, JSON.stringify({ kind: 'Status', message: 'm', details: given })).details;
    expect(of(details)).toStrictEqual({
      name: 'x',
      group: 'g',
      kind: 'k',
      causes: [{ reason: 'r', message: 'm', field: 'f' }, {}],
    });
    expect(of({})).toStrictEqual({});
    expect(of({ name: '', causes: 'text', retryAfterSeconds: '5' })).toStrictEqual({});
    expect(of({ retryAfterSeconds: -1 })).toStrictEqual({});
    expect(of('text')).toBeUndefined();
  });

  test.each([
    [2_000, 'x'.repeat(2_000)],
    [2_001, `${'x'.repeat(1_999)}…`],
  ])('a message of a Status with %i letters', (length, expected) => {
    const body = JSON.stringify({ kind: 'Status', message: 'x'.repeat(length) });
    expect(fromHttp(403, {}, body).message).toBe(expected);
  });

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
    [
      'a page in upper case, after white space',
      502,
      ' \n<TITLE lang="en">Oh</TITLE>',
      { reason: 'BadGateway', message: 'Oh' },
    ],
    [
      'text that only looks like a page',
      502,
      '< 5 and a <title>b',
      { reason: 'BadGateway', message: '< 5 and a <title>b' },
    ],
    ['text with a page in it', 502, 'see <html>', { reason: 'BadGateway', message: 'see <html>' }],
    ['words between tags', 502, '<p>a</p><p>b</p>', { reason: 'BadGateway', message: 'a b' }],
    ['an empty title', 502, '<title></title><p>b', { reason: 'BadGateway', message: 'b' }],
    ['JSON with an error', 500, ' {"error":"no"}', { reason: 'InternalError', message: 'no' }],
    ['JSON without either', 500, '{"a":1}', { reason: 'InternalError', message: '{"a":1}' }],
    ['JSON that is a list', 500, '["a"]', { reason: 'InternalError', message: '["a"]' }],
    ['control characters', 418, 'a\u0007\u001b[31mb', { reason: 'HTTP 418', message: 'a [31mb' }],
  ];
  test.each(bodies)('makes one line of %s', (_name, code, body, expected) => {
    expect(fromHttp(code, {}, body)).toEqual({ kind: 'status', status: code, from: 'intermediary', ...expected });
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
    ['garbage that begins as a number', { 'retry-after': '5 apples', date }, {}, undefined],
    ['seconds with white space', { 'retry-after': ' 7 ' }, {}, 7_000],
    ['nothing but white space', { 'retry-after': ' ', date }, {}, undefined],
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

  test.each([
    ['Expired', 410],
    ['Gone', 410],
    ['Forbidden', 403],
    ['Odd', 500],
  ])('%s without a code is %i', (reason, code) => {
    expect(fromStatus({ reason, message: 'm' })).toStrictEqual({ kind: 'status', status: code, reason, message: 'm' });
  });

  test('a code that has no name, and no message', () => {
    const message = 'the server reported status 499 without a message';
    expect(fromStatus({ code: 499 })).toStrictEqual({ kind: 'status', status: 499, reason: 'HTTP 499', message });
  });

  test('a code that is text is none', () => {
    expect(fromStatus({ code: '403' })).toMatchObject({ status: 500 });
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
    'CERT_CHAIN_TOO_LONG',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_REJECTED',
    'CERT_REVOKED',
    'CERT_SIGNATURE_FAILURE',
    'CERT_UNTRUSTED',
    'CRL_HAS_EXPIRED',
    'CRL_NOT_YET_VALID',
    'CRL_SIGNATURE_FAILURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERROR_IN_CERT_NOT_AFTER_FIELD',
    'ERROR_IN_CERT_NOT_BEFORE_FIELD',
    'ERR_TLS_CERT_ALTNAME_FORMAT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'PATH_LENGTH_EXCEEDED',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
    'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
    'UNABLE_TO_GET_CRL',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
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

  test('no more is told than is known', () => {
    const plain = new Error('m');
    expect(fromNode(plain)).toStrictEqual({ kind: 'unreachable', message: 'm', cause: plain });
    expect(fromNode(coded('CERT_REVOKED'))).toStrictEqual({ kind: 'untrusted', message: 'm', code: 'CERT_REVOKED' });
    expect(fromNode(Object.assign(new Error('m'), { code: 5 }))).not.toHaveProperty('code');
  });

  test('advice on how to start Node is left out', () => {
    const advised = coded('CERT_REVOKED', 'no; if the root CA is installed locally, try running Node.js with X');
    expect(fromNode(advised)).toMatchObject({ message: 'no' });
  });

  test.each([
    [7, 'X'],
    [8, undefined],
  ])('a code after %i causes is %s', (depth, code) => {
    let error: Error = coded('X');
    for (let level = 0; level < depth; level += 1) error = new Error('m', { cause: error });
    expect(fromNode(error)).toMatchObject({ kind: 'unreachable', message: 'm' });
    expect('code' in fromNode(error) ? code : undefined).toBe(code);
  });

  test('an error that says nothing is told by its code', () => {
    expect(fromNode(coded('ECONNRESET', ''))).toMatchObject({ message: 'ECONNRESET' });
    const several = Object.assign(new AggregateError(['text']), { code: 'ETIMEDOUT' });
    expect(fromNode(several)).toMatchObject({ message: 'ETIMEDOUT' });
  });

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
