import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Certificates {
  readonly ca: string;
  /** For 127.0.0.1, localhost and api.test. */
  readonly server: { readonly cert: string; readonly key: string };
  /** Its successor. */
  readonly replaced: { readonly cert: string; readonly key: string };
  /** For another host than the one that is asked. */
  readonly elsewhere: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  /** An authority below `ca`, without `ca` itself, and what it has signed for the same hosts as `server`. */
  readonly intermediate: { readonly ca: string; readonly server: { readonly cert: string; readonly key: string } };
}

const HOSTS = 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:api.test\n';

/** A CA of this run's own and what it has signed. */
export function makeCertificates(): Certificates {
  const dir = mkdtempSync(path.join(tmpdir(), 'kube-await-certificates-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  };
  const read = (file: string): string => readFileSync(path.join(dir, file), 'utf8');
  const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const signed = (name: string, extensions: string, by = 'ca'): { cert: string; key: string } => {
    openssl('req', ...keys, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    writeFileSync(path.join(dir, `${name}.ext`), extensions);
    const ca = ['-CA', `${by}.crt`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...ca, '-extfile', `${name}.ext`, '-out', `${name}.crt`);
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) };
  };
  try {
    openssl('req', '-x509', ...keys, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=test-ca');
    return {
      ca: read('ca.crt'),
      server: signed('server', HOSTS),
      replaced: signed('replaced', HOSTS),
      elsewhere: signed('elsewhere', 'subjectAltName=DNS:elsewhere.test\n'),
      client: signed('client', ''),
      intermediate: {
        ca: signed('intermediate', 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n').cert,
        server: signed('below', HOSTS, 'intermediate'),
      },
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
