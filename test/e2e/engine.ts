/**
 * What builds images and runs one by hand: Docker where its daemon answers, else buildah and runc, which need root and
 * no daemon.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { checkBuildah, checkDocker, dockerAnswers, runLoudly } from './machine.ts';
import { BUSYBOX, buildStandIn } from './stand-in.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** Images by name, as pods and `docker run` name them. */
export interface Images {
  readonly own: string;
  /** What the samples run as their application. */
  readonly busybox: string;
}

export interface ContainerOptions {
  readonly args: readonly string[];
  /** UID and GID, as in `docker run --user`. */
  readonly user?: number;
  /** As in `docker run --network`; `bridge`: no way to the machine's own loopback. */
  readonly network?: 'host' | 'bridge';
  /** What is mounted where, read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Engine {
  readonly name: 'docker' | 'buildah';
  build(tag: string): Images;
  /** With a read-only root and without capabilities. */
  run(image: string, options: ContainerOptions): Promise<Ended>;
  /** Writes a docker-archive. */
  save(image: string, file: string): void;
}

export type EngineName = Engine['name'];

/** The engine of this name; without one, Docker if its daemon answers. @throws SetupError if the engine cannot be used. */
export function findEngine(name: EngineName = dockerAnswers() ? 'docker' : 'buildah'): Engine {
  if (name === 'docker') checkDocker();
  else checkBuildah();
  return name === 'docker' ? docker : buildah;
}

/** How much the last layer of an image adds, in bytes as the archive holds it. The Dockerfile adds one layer. */
export function addedBytes(engine: Engine, image: string): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-saved-'));
  try {
    const archive = path.join(folder, 'image.tar');
    engine.save(image, archive);
    const [manifest] = JSON.parse(execFileSync('tar', ['-xOf', archive, 'manifest.json'], { encoding: 'utf8' }));
    const last: string = manifest.Layers.at(-1);
    return execFileSync('tar', ['-xOf', archive, last], { maxBuffer: 512 * 1024 * 1024 }).length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const docker: Engine = {
  name: 'docker',
  build(tag) {
    const own = `localhost/kube-await:${tag}`;
    runLoudly('docker', ['build', '-t', own, ROOT]);
    runLoudly('docker', ['pull', BUSYBOX]);
    return { own, busybox: BUSYBOX };
  },
  run: (image, { args, user = 65532, network = 'bridge', mounts = {}, env = {} }) =>
    runToEnd('docker', [
      ...['run', '--rm', '--read-only', '--cap-drop=ALL', `--user=${user}:${user}`, `--network=${network}`],
      ...Object.entries(mounts).map(([from, to]) => `--volume=${from}:${to}:ro`),
      ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
      image,
      ...args,
    ]),
  save: (image, file) => void execFileSync('docker', ['save', '-o', file, image]),
};

const buildah: Engine = {
  name: 'buildah',
  build(tag) {
    const [own = '', busybox = ''] = buildStandIn(tag);
    return { own, busybox };
  },
  async run(image, options) {
    const folder = mkdtempSync(path.join(tmpdir(), 'kube-await-run-'));
    const id = path.basename(folder);
    quiet('buildah', ['from', '--pull-never', '--name', id, image]);
    try {
      const rootfs = quiet('buildah', ['mount', id]);
      quiet('runc', ['spec', '--bundle', folder]);
      const file = path.join(folder, 'config.json');
      const spec = JSON.parse(readFileSync(file, 'utf8'));
      const { config } = JSON.parse(quiet('buildah', ['inspect', '--type', 'image', image])).OCIv1;
      writeFileSync(file, JSON.stringify(specOf(spec, rootfs, config, options)));
      return await runToEnd('runc', ['--root', path.join(folder, 'state'), 'run', '--bundle', folder, id]);
    } finally {
      quiet('buildah', ['umount', id]);
      quiet('buildah', ['rm', id]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  save: (image, file) => void quiet('buildah', ['push', '--quiet', image, `docker-archive:${file}:${image}`]),
};

interface RuntimeSpec {
  readonly process: object;
  readonly mounts: readonly object[];
  readonly linux: { readonly namespaces: readonly { readonly type: string }[] };
}

interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly WorkingDir?: string;
}

/** What `docker run` makes of the same options. https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md */
function specOf(spec: RuntimeSpec, rootfs: string, image: ImageConfig, options: ContainerOptions): object {
  const { args, user = 65532, network = 'bridge', mounts = {}, env = {} } = options;
  return {
    ...spec,
    process: {
      ...spec.process,
      terminal: false,
      user: { uid: user, gid: user },
      args: [...(image.Entrypoint ?? []), ...args],
      env: [...(image.Env ?? []), ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      cwd: image.WorkingDir || '/',
      capabilities: {},
      noNewPrivileges: true,
    },
    root: { path: rootfs, readonly: true },
    mounts: [
      ...spec.mounts,
      ...Object.entries(mounts).map(([source, destination]) => ({
        source,
        destination,
        type: 'bind',
        options: ['rbind', 'ro'],
      })),
    ],
    linux: {
      ...spec.linux,
      // A network namespace of its own has a loopback of its own, with nobody in it.
      namespaces: spec.linux.namespaces.filter(({ type }) => network === 'bridge' || type !== 'network'),
    },
  };
}

function quiet(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

function runToEnd(command: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, (error, stdout, stderr) => {
      const code = child.exitCode;
      if (code === null) reject(error ?? new Error(`${command} was ended by a signal`));
      else resolve({ code, stdout, stderr });
    });
    child.stdin?.end();
  });
}
