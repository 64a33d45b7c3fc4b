/**
 * Images for a machine that cannot pull any: what the Dockerfile builds on, and busybox for the samples, made of this
 * machine's own files; then the Dockerfile itself, built on them with buildah.
 *
 *   node test/e2e/stand-in.ts TAG
 *
 * prints the names of the images that a cluster needs, kube-await's first. Needs a Debian; machine.ts says what else.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from '../harness/program.ts';
import { BUSYBOX_FILE, CERTIFICATES, checkBuildah, NODE, runLoudly } from './machine.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const PREFIX = 'localhost/kube-await-stand-in';
/** The name under which the samples ask for it. Debian's, linked statically, cannot look names up. */
export const BUSYBOX = 'docker.io/library/busybox:1.37';

const APPLETS = [
  'sh',
  'env',
  'cp',
  'ln',
  'mkdir',
  'sleep',
  'cat',
  'echo',
  'httpd',
  'wget',
  'date',
  'seq',
  'test',
  'ls',
];

/** Builds kube-await's image as `localhost/kube-await:TAG`, and gives the names of all images that a cluster needs. */
export function buildStandIn(tag: string): readonly string[] {
  const scratch = mkdtempSync(path.join(tmpdir(), 'kube-await-images-'));
  try {
    const base = image(scratch, 'base', distroless(path.join(scratch, 'base')));
    const builder = image(scratch, 'builder', nodeWithNpm(path.join(scratch, 'builder')));
    const busybox = image(scratch, BUSYBOX, withBusybox(path.join(scratch, 'busybox'), [], 'busybox'));
    const own = `localhost/kube-await:${tag}`;
    const args = ['--build-arg', `BASE_IMAGE=${base}`, '--build-arg', `BUILD_IMAGE=${builder}`];
    runLoudly('buildah', ['bud', '--isolation', 'chroot', '--pull-never', ...npmCache(), ...args, '-t', own, ROOT]);
    return [own, busybox];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** As gcr.io/distroless/nodejs*:nonroot: Node, the libraries that it needs, certificates, a user; no shell. */
function distroless(root: string): string[] {
  node(root, '/nodejs/bin/node');
  mkdirSync(path.join(root, 'etc'), { recursive: true });
  writeFileSync(
    path.join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  );
  writeFileSync(path.join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
  mkdirSync(path.join(root, 'home/nonroot'), { recursive: true });
  mkdirSync(path.join(root, 'tmp'));
  return [
    'COPY --chown=65532:65532 root/home/nonroot /home/nonroot',
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `ENV SSL_CERT_FILE=${CERTIFICATES}`,
    'WORKDIR /home/nonroot',
    'USER 65532',
    'ENTRYPOINT ["/nodejs/bin/node"]',
  ];
}

/** As node:*: Node, npm and a shell. */
function nodeWithNpm(root: string): string[] {
  node(root, '/usr/local/bin/node');
  const npm = path.resolve(realpathSync(onPath('npm')), '../..');
  cpSync(npm, path.join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('/usr/local/lib/node_modules/npm/bin/npm-cli.js', path.join(root, 'usr/local/bin/npm'));
  mkdirSync(path.join(root, 'root'));
  mkdirSync(path.join(root, 'tmp'));
  // A machine behind a proxy has certificates of its own.
  const own = process.env.NODE_EXTRA_CA_CERTS;
  const extra = own === undefined ? [] : ['ENV NODE_EXTRA_CA_CERTS=/etc/ssl/extra.pem'];
  if (own !== undefined) cpSync(own, path.join(root, 'etc/ssl/extra.pem'), { dereference: true });
  return withBusybox(root, ['ENV PATH=/usr/local/bin:/usr/bin:/bin', ...extra], 'builder');
}

function withBusybox(root: string, lines: string[], kind: 'busybox' | 'builder'): string[] {
  mkdirSync(path.join(root, 'bin'), { recursive: true });
  mkdirSync(path.join(root, 'usr/bin'), { recursive: true });
  cpSync(BUSYBOX_FILE, path.join(root, 'bin/busybox'), { dereference: true });
  for (const applet of APPLETS) symlinkSync('busybox', path.join(root, 'bin', applet));
  symlinkSync('/bin/busybox', path.join(root, 'usr/bin/env'));
  return kind === 'busybox' ? [...lines, 'CMD ["sh"]'] : lines;
}

/** Node at this path, and at their own paths the libraries that it is linked with. */
function node(root: string, at: string): void {
  mkdirSync(path.dirname(path.join(root, at)), { recursive: true });
  cpSync(NODE, path.join(root, at));
  const linked = execFileSync('ldd', [NODE], { encoding: 'utf8' });
  const files: string[] = linked.match(/\/\S+\.so\S*/g) ?? [];
  const libc = files.find((file) => file.endsWith('/libc.so.6'));
  // The C library loads it when a name is looked up.
  if (libc !== undefined) files.push(path.join(path.dirname(libc), 'libresolv.so.2'));
  for (const file of files) cpSync(realpathSync(file), path.join(root, file));
  cpSync(CERTIFICATES, path.join(root, CERTIFICATES), { dereference: true });
}

/** An image of the files in scratch/NAME. */
function image(scratch: string, name: string, lines: readonly string[]): string {
  const own = !name.includes('/');
  const reference = own ? `${PREFIX}-${name}:1` : name;
  const folder = path.join(scratch, own ? name : 'busybox');
  const context = `${folder}-context`;
  mkdirSync(context);
  cpSync(folder, path.join(context, 'root'), { recursive: true, verbatimSymlinks: true });
  writeFileSync(path.join(context, 'Dockerfile'), ['FROM scratch', 'COPY root /', ...lines, ''].join('\n'));
  runLoudly('buildah', ['bud', '--isolation', 'chroot', '--quiet', '-t', reference, context]);
  return reference;
}

/** What npm has fetched before need not be fetched again. */
function npmCache(): string[] {
  const folder = execFileSync('npm', ['config', 'get', 'cache'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  mkdirSync(folder.trim(), { recursive: true });
  return ['--volume', `${folder.trim()}:/root/.npm`];
}

function onPath(command: string): string {
  return execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
}

async function main(): Promise<number> {
  checkBuildah();
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  for (const name of buildStandIn(process.argv[2] ?? version)) {
    console.log(name);
  }
  return 0;
}

if (import.meta.main) await runProgram(main);
