/** The programs and files that the suite needs on the machine that runs it, and how to install them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { onPath, SetupError } from '../cluster/binaries.ts';

/** The Node of npm's package `node`, in the version that the image has. */
export const NODE = path.resolve(import.meta.dirname, '..', '..', 'node_modules', 'node', 'bin', 'node');
export const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Must be linked statically, because the images that it is copied into contain no libraries. */
export const BUSYBOX_FILE = '/bin/busybox';

interface Need {
  readonly what: string;
  readonly package: string;
  readonly isThere: () => boolean;
}

const program = (name: string, from = name): Need => ({ what: name, package: from, isThere: () => onPath(name) });

/** Required to build and run images without a Docker daemon. The packages are Debian's. */
const WITHOUT_DOCKER: readonly Need[] = [
  program('buildah'),
  program('runc'),
  program('ldd', 'libc-bin'),
  program('npm'),
  { what: `a static ${BUSYBOX_FILE}`, package: 'busybox-static', isThere: () => isStatic(BUSYBOX_FILE) },
  { what: CERTIFICATES, package: 'ca-certificates', isThere: () => existsSync(CERTIFICATES) },
];

/** Throws a SetupError that names everything that is missing to build and run images without Docker. */
export function checkBuildah(): void {
  const missing = WITHOUT_DOCKER.filter(({ isThere }) => !isThere());
  if (missing.length > 0) {
    const what = missing.map((need) => need.what).join(', ');
    const packages = missing.map((need) => need.package).join(' ');
    throw new SetupError(`without a Docker daemon, the e2e suite needs ${what}: apt-get install ${packages}`);
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError('without a Docker daemon, the e2e suite needs root, for buildah and runc');
  }
  if (!existsSync(NODE)) throw new SetupError(`${NODE} is missing: npm ci`);
}

/** Throws a SetupError unless a Docker daemon answers. */
export function checkDocker(): void {
  if (!dockerAnswers()) {
    throw new SetupError('Docker does not answer: install it (https://docs.docker.com/engine/install/) and start it');
  }
}

/** Whether a Docker daemon answers. */
export function dockerAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** Runs a program with its output on standard error. @throws SetupError unless it exits with 0. */
export function runLoudly(command: string, args: readonly string[]): void {
  const { error, status, signal } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  const ending = error?.message ?? `exit ${status ?? signal}`;
  if (status !== 0) throw new SetupError(`${command} ${args.join(' ')}: ${ending}`);
}

function isStatic(file: string): boolean {
  return existsSync(file) && !spawnSync('ldd', [file], { encoding: 'utf8' }).stdout?.includes('=>');
}
