import type { BlockList } from 'node:net';
import { ConfigurationError } from './configuration-error.ts';
import type { Environment } from './options.ts';

/**
 * The proxy that the environment asks for, by the rules of Go's net/http, which kubectl follows: Node's own do not know
 * CIDRs in NO_PROXY, and those are how API servers are usually exempted.
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 * @throws ConfigurationError for a proxy that cannot be used
 */
export function proxyFromEnvironment(server: URL, env: Environment): string | undefined {
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const variable = env[name] ? name : name.toLowerCase();
  const proxy = env[variable];
  if (!proxy || isExempt(server, env.NO_PROXY || env.no_proxy || '')) return undefined;
  return checkProxy(proxy, variable);
}

/** @throws ConfigurationError; the proxy itself is never part of the message, since it may hold a password. */
export function checkProxy(proxy: string, where: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(https?|socks5h?):$/.test(url.protocol) || url.hostname === '' || !isDecodable(url)) {
    throw new ConfigurationError(
      `${where}: expected the address of an HTTP or SOCKS5 proxy, such as http://host:port or socks5://host:port`,
    );
  }
  if (!AGENT_KNOWS_PROXIES && !url.protocol.startsWith('socks')) {
    throw new ConfigurationError(
      `${where}: Node ${process.versions.node} cannot use a proxy here, expected at least 22.21 or 24.5`,
    );
  }
  return url.href;
}

/** Older ones would go past the proxy without a word. https://nodejs.org/api/https.html#new-agentoptions, proxyEnv */
const AGENT_KNOWS_PROXIES = ((): boolean => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
})();

/** Node's agent throws for a user or password that is not percent-encoded rightly. */
function isDecodable(url: URL): boolean {
  try {
    decodeURIComponent(url.username + url.password);
    return true;
  } catch {
    return false;
  }
}

/** Whether NO_PROXY exempts a server; localhost and loopback addresses always are. */
export function isExempt(server: URL, noProxy: string): boolean {
  if (isLoopback(server)) return true;
  const host = hostOf(server);
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  return noProxy.split(',').some((entry) => matches(entry.trim().toLowerCase(), host, port));
}

/** Whether a server is on the machine (or in the container) that we are on, by its address. */
export function isLoopback(server: URL): boolean {
  const host = hostOf(server);
  if (isIP(host) === 0) return host === 'localhost';
  loopback ??= loopbackAddresses();
  return loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

/** Loaded when it is needed first: most runs know of no proxy. */
function net(): typeof import('node:net') {
  return process.getBuiltinModule('node:net');
}

function isIP(text: string): number {
  return net().isIP(text);
}

let loopback: BlockList | undefined;

function loopbackAddresses(): BlockList {
  const list = new (net().BlockList)();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  return list;
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const inCidr = matchesCidr(entry, host);
  if (inCidr !== undefined) return inCidr;
  const { name, port: wanted } = splitPort(entry);
  if (name === '' || (wanted !== '' && wanted !== port)) return false;
  if (isIP(name) !== 0) return sameAddress(name, host);
  // example.com is itself and all below it, .example.com and *.example.com only what is below.
  const suffix = name.startsWith('*.') ? name.slice(1) : name;
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

/** Undefined: the entry is no CIDR. */
function matchesCidr(entry: string, host: string): boolean | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(bits) > (version === 6 ? 128 : 32)) return undefined;
  if (isIP(host) === 0) return false;
  const list = new (net().BlockList)();
  list.addSubnet(address, Number(bits), version === 6 ? 'ipv6' : 'ipv4');
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

function sameAddress(a: string, b: string): boolean {
  if (isIP(b) === 0) return false;
  const list = new (net().BlockList)();
  list.addAddress(a, isIP(a) === 6 ? 'ipv6' : 'ipv4');
  return list.check(b, isIP(b) === 6 ? 'ipv6' : 'ipv4');
}

/** host, host:port, [v6]:port; a bare IPv6 address has colons, but no port. */
function splitPort(entry: string): { name: string; port: string } {
  const [, v6, v6Port = ''] = /^\[([^\]]*)\](?::(\d*))?$/.exec(entry) ?? [];
  if (v6 !== undefined) return { name: v6, port: v6Port };
  const [, name, port = ''] = /^([^:]*):(\d*)$/.exec(entry) ?? [];
  return name === undefined ? { name: entry, port: '' } : { name, port };
}
