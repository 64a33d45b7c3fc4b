/** Which pod this program runs in: the claims of the token, then the variables, then the host name. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Connection } from '../../src/kube/connection.ts';
import { selfOf } from '../../src/session.ts';

function folderWith(token: string | undefined): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'kube-await-session-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  if (token !== undefined) writeFileSync(path.join(dir, 'token'), token);
  return dir;
}

const connection = (source: Connection['source']): Connection => ({
  server: new URL('https://server'),
  source,
  namespace: 'of-token',
  authorize: () => Promise.reject(new Error('asked for')),
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const tokenOf = (claims: unknown): string => `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl\n`;
const POD = { name: 'web-0', uid: 'u-1' };
const CLAIMS = { aud: ['x'], 'kubernetes.io': { namespace: 'shop', node: { name: 'n' }, pod: POD } };
const ENV = { POD_NAME: 'by-variable', POD_NAMESPACE: 'variables' };
const CLAIMED = { namespace: 'shop', name: 'web-0', uid: 'u-1' };
const BY_VARIABLES = { namespace: 'variables', name: 'by-variable' };
const BY_HOST = { namespace: 'of-token', name: hostname() };

test.each([
  ['the claims come first', tokenOf(CLAIMS), ENV, 'in-cluster', CLAIMED],
  ['the claims count with a kubeconfig too', tokenOf(CLAIMS), {}, 'kubeconfig', CLAIMED],
  [
    'a namespace of other letters than ASCII',
    tokenOf({ 'kubernetes.io': { namespace: 'größe-🚀', pod: POD } }),
    {},
    'in-cluster',
    { ...CLAIMED, namespace: 'größe-🚀' },
  ],
  [
    'no uid',
    tokenOf({ 'kubernetes.io': { namespace: 'shop', pod: { name: 'web-0' } } }),
    {},
    'in-cluster',
    { namespace: 'shop', name: 'web-0' },
  ],
  ['no token, variables', undefined, ENV, 'kubeconfig', BY_VARIABLES],
  ['no token, in a cluster', undefined, {}, 'in-cluster', BY_HOST],
  ['no token, elsewhere', undefined, {}, 'kubeconfig', undefined],
  ['one variable, in a cluster', undefined, { POD_NAME: 'x' }, 'in-cluster', { ...BY_HOST, name: 'x' }],
  ['one variable, elsewhere', undefined, { POD_NAME: 'x' }, 'kubeconfig', undefined],
  ['claims without a pod', tokenOf({ 'kubernetes.io': { namespace: 'shop' } }), ENV, 'in-cluster', BY_VARIABLES],
  ['claims of nobody', tokenOf({ sub: 'x' }), {}, 'in-cluster', BY_HOST],
  ['claims that are no object', tokenOf('x'), {}, 'in-cluster', BY_HOST],
  ['claims that are null', tokenOf(null), {}, 'in-cluster', BY_HOST],
  [
    'a name that is no string',
    tokenOf({ 'kubernetes.io': { namespace: 'shop', pod: { name: 7 } } }),
    {},
    'in-cluster',
    BY_HOST,
  ],
  ['an empty token', '', {}, 'in-cluster', BY_HOST],
  ['an opaque token', 'sha256~abc', ENV, 'in-cluster', BY_VARIABLES],
  ['a token of dots', '..', {}, 'in-cluster', BY_HOST],
  ['a payload that is no JSON', `a.${Buffer.from('{').toString('base64url')}.c`, {}, 'in-cluster', BY_HOST],
] as const)('%s', (_, token, env, source, expected) => {
  expect(selfOf(connection(source), env, folderWith(token))).toEqual(expected);
});

test('a token that cannot be read is none', () => {
  const dir = folderWith(undefined);
  mkdirSync(path.join(dir, 'token'));
  expect(selfOf(connection('in-cluster'), ENV, dir)).toEqual(BY_VARIABLES);
});
