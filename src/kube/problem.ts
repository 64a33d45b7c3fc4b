import type { IncomingHttpHeaders } from 'node:http';
import { assertNever } from '../assert-never.ts';
import type { ApiResource } from './resource.ts';

/** What went wrong with a request. Only the report turns it into sentences. */
export type Problem =
  /** Nothing of an answer came: name lookup, connection, TLS, proxy, or a time limit before the response's headers. */
  | {
      readonly kind: 'unreachable';
      readonly message: string;
      /** Node's code, the first one found down the chain of causes. */
      readonly code?: string;
      readonly cause?: unknown;
    }
  /** A credential plugin failed, so nothing was sent. */
  | { readonly kind: 'credentials'; readonly message: string }
  /** The server's certificate cannot be trusted. */
  | { readonly kind: 'untrusted'; readonly message: string; readonly code: string; readonly caFile?: string }
  /** The answer began, and then it broke off, went silent or was not what it should be. */
  | { readonly kind: 'interrupted'; readonly message: string; readonly cause?: unknown }
  /** An HTTP error, or a Status object in an ERROR event of a watch. */
  | {
      readonly kind: 'status';
      readonly status: number;
      /** The API's own word: `Forbidden`, `Expired`. Never empty. */
      readonly reason: string;
      readonly message: string;
      /** The body was not a Status: something in front of the API server may have answered. */
      readonly from?: 'intermediary';
      readonly retryAfterMs?: number;
      readonly details?: StatusDetails;
    };

/** The parts of metav1.StatusDetails that are used. https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#statusdetails-v1-meta */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

/** A request that failed; `problem` says how. */
export class TransportError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message, 'cause' in problem ? { cause: problem.cause } : undefined);
    this.name = 'TransportError';
    this.problem = problem;
  }
}

/**
 * What to do about a problem, the same on every path: `retry` the same request after a pause, `relist` because the
 * resource version is of no use any more, or give up because the server `refused` us, serves no such thing
 * (`not-found`), or will always answer the request like this (`permanent`).
 */
export type Reaction = 'retry' | 'relist' | 'refused' | 'not-found' | 'permanent';

export function whatToDo(problem: Problem): Reaction {
  switch (problem.kind) {
    case 'unreachable':
    case 'interrupted':
      return 'retry';
    case 'untrusted':
    case 'credentials':
      return 'refused';
    case 'status':
      return whatToDoAboutStatus(problem);
    default:
      return assertNever(problem);
  }
}

// https://github.com/kubernetes/apimachinery/blob/v0.36.0/pkg/apis/meta/v1/types.go, type StatusReason, says which
// reasons a client may try again.
function whatToDoAboutStatus(problem: Problem & { kind: 'status' }): Reaction {
  const { status } = problem;
  if (status === 410) return 'relist';
  // A server (or an etcd restored from a backup) that has not seen our resource version yet, and may never see it.
  if (problem.details?.causes?.some((cause) => cause.reason === 'ResourceVersionTooLarge')) return 'relist';
  if (status === 401 || status === 403) return 'refused';
  if (status === 404) return 'not-found';
  // 407 comes from a proxy; where it answers a CONNECT instead, Node reports it as a failed connection.
  if (status === 407 || status === 408 || status === 429 || status >= 500) return 'retry';
  if (status < 400 || (problem.from === undefined && PERMANENT.has(status))) return 'permanent';
  return 'relist';
}

/** Where the API server itself says so. */
const PERMANENT: ReadonlySet<number> = new Set([400, 405, 406, 415, 422]);

const NOT_SERVED = 'NotServed';

/** Discovery, read whole, knows no such kind. */
export function notServed({ group, name }: Pick<ApiResource, 'group' | 'name'>): Problem {
  const kind = group === '' ? name : `${name}.${group}`;
  return { kind: 'status', status: 404, reason: NOT_SERVED, message: `the API server serves no ${kind}` };
}

export function isNotServed(problem: Problem): boolean {
  return problem.kind === 'status' && problem.reason === NOT_SERVED;
}

/** An HTTP answer outside of 2xx. `bodyText` may be cut off, HTML of a load balancer, or empty. */
export function fromHttp(status: number, headers: IncomingHttpHeaders, bodyText: string): Problem & { kind: 'status' } {
  const body = parseObject(bodyText);
  const isStatus = body?.kind === 'Status';
  const details = isStatus ? detailsOf(body.details) : undefined;
  const location = status < 400 ? headers.location : undefined;
  const said =
    location === undefined
      ? summary(bodyText)
      : `Location ${cut(oneLine(location.replace(/\/\/[^/@]*@/, '//')), MAX_SUMMARY)}`;
  return statusProblem({
    status,
    reason: (isStatus && textOf(body.reason)) || REASONS[status] || `HTTP ${status}`,
    message: (isStatus && cut(textOf(body.message) ?? '', MAX_MESSAGE)) || said || `HTTP status ${status}`,
    from: isStatus ? undefined : 'intermediary',
    retryAfterMs: later(retryAfterMsOf(headers), details?.retryAfterSeconds),
    details,
  });
}

/** A metav1.Status, as in an ERROR event of a watch. Anything else there counts as an internal error of the server. */
export function fromStatus(value: unknown): Problem & { kind: 'status' } {
  const object = isRecord(value) ? value : {};
  const details = detailsOf(object.details);
  const reason = textOf(object.reason);
  const status = typeof object.code === 'number' && object.code > 0 ? object.code : statusOfReason(reason);
  return statusProblem({
    status,
    reason: reason ?? REASONS[status] ?? `HTTP ${status}`,
    message: cut(textOf(object.message) ?? '', MAX_MESSAGE) || `the server reported status ${status} without a message`,
    from: undefined,
    retryAfterMs: later(undefined, details?.retryAfterSeconds),
    details,
  });
}

/** Where a request was when Node reported an error. */
export type Phase = 'before-headers' | 'body';

/** An error of node:net, tls, http or zlib. It is sorted by its code, never by its text. */
export function fromNode(error: unknown, where: { phase?: Phase; caFile?: string | undefined } = {}): Problem {
  const { code, message } = innermost(error);
  if (code !== undefined && UNTRUSTED_CODES.has(code)) {
    return {
      kind: 'untrusted',
      message: message.replace(NODE_ADVICE, ''),
      code,
      ...(where.caFile === undefined ? {} : { caFile: where.caFile }),
    };
  }
  if (where.phase === 'body') return { kind: 'interrupted', message, cause: error };
  return { kind: 'unreachable', message, ...(code === undefined ? {} : { code }), cause: error };
}

/** What Node adds to some messages of OpenSSL: of no use for a program whose way to start Node is not the user's. */
const NODE_ADVICE = /; if the root CA is installed locally, .*$/;

/** Longest Retry-After that is honoured: a wait must not be put to sleep for an hour by one odd header. */
const MAX_RETRY_AFTER_MS = 60_000;
/** Of a body that is not a Status object. */
const MAX_SUMMARY = 200;
/** Of Status.message, which is kept as it is: the API server's own are far below. */
const MAX_MESSAGE = 2_000;

// What the API server itself would have called it; answers of proxies and load balancers carry no reason.
// https://github.com/kubernetes/apimachinery/blob/v0.36.0/pkg/api/errors/errors.go, NewGenericServerResponse
const REASONS: Readonly<Record<number, string>> = {
  301: 'Redirect',
  302: 'Redirect',
  303: 'Redirect',
  307: 'Redirect',
  308: 'Redirect',
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

// The codes of OpenSSL's X509_verify_cert as Node names them (https://nodejs.org/api/tls.html#x509-certificate-error-codes)
// and Node's own for a certificate of another name.
const UNTRUSTED_CODES: ReadonlySet<string> = new Set([
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
]);

function statusProblem(given: {
  status: number;
  reason: string;
  message: string;
  from: 'intermediary' | undefined;
  retryAfterMs: number | undefined;
  details: StatusDetails | undefined;
}): Problem & { kind: 'status' } {
  const { status, reason, message, from, retryAfterMs, details } = given;
  return {
    kind: 'status',
    status,
    reason,
    message,
    ...(from === undefined ? {} : { from }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  };
}

/** In an ERROR event the reason alone counts, too: some servers send no code with it. */
function statusOfReason(reason: string | undefined): number {
  if (reason === 'Expired') return 410;
  for (const [status, name] of Object.entries(REASONS)) if (name === reason) return Number(status);
  return 500;
}

/** Seconds, or a date, which is measured against the server's own Date: its clock need not be ours. */
function retryAfterMsOf(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const ms = Date.parse(value) - Date.parse(headers.date ?? '');
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function later(headerMs: number | undefined, detailsSeconds: number | undefined): number | undefined {
  if (headerMs === undefined && detailsSeconds === undefined) return undefined;
  return Math.min(Math.max(headerMs ?? 0, (detailsSeconds ?? 0) * 1000), MAX_RETRY_AFTER_MS);
}

function detailsOf(value: unknown): StatusDetails | undefined {
  if (!isRecord(value)) return undefined;
  const name = textOf(value.name);
  const group = textOf(value.group);
  const kind = textOf(value.kind);
  const seconds = value.retryAfterSeconds;
  const causes = Array.isArray(value.causes) ? value.causes.filter(isRecord).map(causeOf) : [];
  return {
    ...(name === undefined ? {} : { name }),
    ...(group === undefined ? {} : { group }),
    ...(kind === undefined ? {} : { kind }),
    ...(causes.length === 0 ? {} : { causes }),
    ...(typeof seconds === 'number' && seconds > 0 ? { retryAfterSeconds: seconds } : {}),
  };
}

function causeOf(value: Record<string, unknown>): { reason?: string; message?: string; field?: string } {
  const reason = textOf(value.reason);
  const message = textOf(value.message);
  const field = textOf(value.field);
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(field === undefined ? {} : { field }),
  };
}

/** The first code down the chain of causes (and, of a connection tried on several addresses, of its first attempt). */
function innermost(error: unknown): { code: string | undefined; message: string } {
  let message = '';
  let current = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth++) {
    message ||= current.message;
    const code = 'code' in current && typeof current.code === 'string' ? current.code : undefined;
    // The AggregateError of a connection that was tried on several addresses has a code, but no message of its own.
    const first: unknown = current instanceof AggregateError ? current.errors[0] : undefined;
    if (code !== undefined) {
      const text = message || (first instanceof Error ? first.message : '') || code;
      return { code, message: cut(oneLine(text), MAX_SUMMARY) };
    }
    current = first ?? current.cause;
  }
  return { code: undefined, message: cut(oneLine(message || String(error)), MAX_SUMMARY) };
}

/** One short line of a body that nobody promised anything about. */
function summary(bodyText: string): string {
  const start = bodyText.slice(0, 8_192);
  const json = parseObject(bodyText);
  if (json !== undefined) return cut(oneLine(textOf(json.message) ?? textOf(json.error) ?? start), MAX_SUMMARY);
  if (!/^\s*<[!a-z?]/i.test(start)) return cut(oneLine(start), MAX_SUMMARY);
  const title = /<title[^>]*>([^<]*)/i.exec(start)?.[1];
  return cut(oneLine(title || start.replace(/<(script|style)[\s\S]*?<\/\1\s*>|<[^>]*>/gi, ' ')), MAX_SUMMARY);
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
