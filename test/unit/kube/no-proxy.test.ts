import { describe, expect, test } from 'vitest';
import { checkProxy, isExempt, proxyFromEnvironment } from '../../../src/kube/no-proxy.ts';

// The rows follow golang.org/x/net/http/httpproxy's documentation of Config.NoProxy.
describe('NO_PROXY', () => {
  const rows: [string, string, 'exempt' | 'proxied'][] = [
    ['', 'https://10.96.0.1', 'proxied'],
    ['*', 'https://example.com', 'exempt'],
    ['foo,*', 'https://example.com', 'exempt'],
    ['', 'https://localhost:6443', 'exempt'],
    ['', 'https://127.0.0.1:6443', 'exempt'],
    ['', 'https://127.8.9.1', 'exempt'],
    ['', 'https://[::1]:6443', 'exempt'],
    ['10.0.0.0/8', 'https://10.96.0.1', 'exempt'],
    ['10.0.0.0/8', 'https://11.0.0.1', 'proxied'],
    ['10.96.0.1/32', 'https://10.96.0.2', 'proxied'],
    ['0.0.0.0/0', 'https://8.8.8.8', 'exempt'],
    ['10.0.0.0/33', 'https://10.96.0.1', 'proxied'],
    ['10.0.0.0/8', 'https://example.com', 'proxied'],
    ['fd00::/8', 'https://[fd00::1]:443', 'exempt'],
    ['fd00::/8', 'https://[fe80::1]', 'proxied'],
    ['10.96.0.1', 'https://10.96.0.1', 'exempt'],
    ['10.96.0.1:443', 'https://10.96.0.1', 'exempt'],
    ['10.96.0.1:6443', 'https://10.96.0.1', 'proxied'],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443', 'exempt'],
    ['[fd00::1]:6443', 'https://[fd00::1]', 'proxied'],
    ['fd00:0:0::1', 'https://[fd00::1]', 'exempt'],
    ['10.96.0', 'https://10.96.0.1', 'proxied'],
    ['example.com', 'https://example.com', 'exempt'],
    ['example.com', 'https://api.example.com', 'exempt'],
    ['example.com', 'https://notexample.com', 'proxied'],
    ['.example.com', 'https://api.example.com', 'exempt'],
    ['.example.com', 'https://example.com', 'proxied'],
    ['*.example.com', 'https://api.example.com', 'exempt'],
    ['*.example.com', 'https://example.com', 'proxied'],
    ['example.com:6443', 'https://api.example.com:6443', 'exempt'],
    ['example.com:6443', 'https://api.example.com', 'proxied'],
    ['example.com:80', 'http://example.com', 'exempt'],
    ['EXAMPLE.com', 'https://API.example.COM', 'exempt'],
    [' a.b , example.com ', 'https://example.com', 'exempt'],
    [',,', 'https://example.com', 'proxied'],
    [':443', 'https://example.com', 'proxied'],
    ['.svc,.cluster.local', 'https://kubernetes.default.svc', 'exempt'],
  ];
  test.each(rows)('%j: %s is %s', (noProxy, server, expected) => {
    expect(isExempt(new URL(server), noProxy) ? 'exempt' : 'proxied').toBe(expected);
  });
});

describe('the environment', () => {
  const api = new URL('https://10.96.0.1');
  test.each([
    ['HTTPS_PROXY', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128/'],
    ['https_proxy', { https_proxy: 'http://p:3128' }, 'http://p:3128/'],
    ['capitals before small letters', { HTTPS_PROXY: 'http://a', https_proxy: 'http://b' }, 'http://a/'],
    ['an empty one counts as none', { HTTPS_PROXY: '', https_proxy: 'http://b' }, 'http://b/'],
    ['without a scheme', { HTTPS_PROXY: 'p:3128' }, 'http://p:3128/'],
    ['HTTP_PROXY alone is not for https', { HTTP_PROXY: 'http://p' }, undefined],
    ['no_proxy', { HTTPS_PROXY: 'http://p', no_proxy: '10.0.0.0/8' }, undefined],
    ['nothing', {}, undefined],
  ])('%s', (_name, env, expected) => {
    expect(proxyFromEnvironment(api, env)).toBe(expected);
  });

  test('HTTP_PROXY is for http', () => {
    expect(proxyFromEnvironment(new URL('http://api:8080'), { HTTP_PROXY: 'http://p', HTTPS_PROXY: 'http://q' })).toBe(
      'http://p/',
    );
  });

  test('a proxy that nobody would use is not looked at', () => {
    expect(proxyFromEnvironment(api, { HTTPS_PROXY: 'ftp://p', NO_PROXY: '*' })).toBeUndefined();
  });
});

describe('a proxy that cannot be used is refused without being shown', () => {
  test.each([
    'socks4://user:s3cret@p:1080',
    'socks5://user:s3cret@',
    'ftp://user:s3cret@p',
    'http://',
    'http://us:s3cret%zz@p',
  ])('%s', (proxy) => {
    expect(() => checkProxy(proxy, 'HTTPS_PROXY')).toThrow(/^HTTPS_PROXY: (?!.*s3cret)/);
  });
});
