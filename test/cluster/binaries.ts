import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where go.mod pins each program. The names are those of the files in the cache. */
const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  kwok: 'sigs.k8s.io/kwok/cmd/kwok',
  helm: 'helm.sh/helm/v4/cmd/helm',
  kind: 'sigs.k8s.io/kind',
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint',
} as const;

export type Program = keyof typeof packages;

export const allPrograms = Object.keys(packages) as readonly Program[];

/** What a running control plane consists of. */
export const clusterPrograms: readonly Program[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
];

/** An error for the person who runs the tests. Its message is complete, so it has no stack, which vitest would print. */
export class SetupError extends Error {
  constructor(message: string) {
    super(message);
    this.stack = message;
  }
}

const moduleDir = import.meta.dirname;

/** A build that an interrupted run has left behind is not in use any more after this long. */
const abandonedAfterMs = 60 * 60 * 1000;

/** kubectl and Helm compare versions; a plain `go build` gives them none. */
function linkerFlags(): string {
  const version = /^\s*k8s\.io\/kubernetes (v(\d+)\.(\d+)\S+)/m.exec(readFileSync(join(moduleDir, 'go.mod'), 'utf8'));
  if (!version) {
    throw new Error('test/cluster/go.mod does not pin k8s.io/kubernetes');
  }
  const base = 'k8s.io/component-base/version';
  const values = [
    `${base}.gitVersion=${version[1]}`,
    `${base}.gitMajor=${version[2]}`,
    `${base}.gitMinor=${version[3]}`,
    `${base}.gitTreeState=clean`,
    `k8s.io/client-go/pkg/version.gitVersion=${version[1]}`,
  ];
  return ['-s', '-w', ...values.map((value) => `-X ${value}`)].join(' ');
}

/** One folder for each set of sources and flags, so that a change of either builds anew and nothing is ever stale. */
export function cacheDir(): string {
  const key = createHash('sha256');
  key.update(readFileSync(join(moduleDir, 'go.mod')));
  key.update(readFileSync(join(moduleDir, 'go.sum')));
  key.update(`${linkerFlags()} ${process.platform} ${process.arch}`);
  const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cacheHome, 'kube-await', 'cluster', key.digest('hex').slice(0, 16));
}

function find(program: Program): string | undefined {
  const folders = [process.env.KUBEBUILDER_ASSETS, cacheDir()].filter(
    (folder) => folder !== undefined && folder !== '',
  );
  return folders.map((folder) => join(folder as string, program)).find((file) => existsSync(file));
}

/** Whether a program of this name is on the PATH. */
export function onPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)));
}

/** Runs go and gives its error output; the program is only there when the exit code was 0. */
function go(
  args: string[],
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn('go', args, {
      cwd: moduleDir,
      // The reader's own Go settings must not change what is built: no workspace, no vendoring, no build tags.
      // Go's scratch folder lies in ours, because a killed go does not remove it.
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOTMPDIR: scratch },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal ? { signal, killSignal: 'SIGKILL' } : {}),
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stderr }));
  });
}

function removeAbandonedBuilds(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith('.build-'))) {
    const path = join(folder, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > abandonedAfterMs) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

export interface BuildOptions {
  /** Gets one line for each program that has to be built. */
  readonly progress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The paths of the given programs: from KUBEBUILDER_ASSETS, else from the cache folder, else built into it.
 * Throws a SetupError where a program is missing and cannot be built.
 */
export async function ensureBinaries(
  programs: readonly Program[],
  options: BuildOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const missing = programs.filter((program) => find(program) === undefined);
  if (missing.length > 0) {
    await build(missing, options);
  }
  return Object.fromEntries(programs.map((program) => [program, find(program) ?? join(cacheDir(), program)]));
}

async function build(programs: readonly Program[], { progress = () => {}, signal }: BuildOptions): Promise<void> {
  if (!onPath('go')) {
    throw new SetupError(
      `The test cluster needs ${programs.join(', ')}: install Go 1.26 or newer (https://go.dev/dl) to build them, ` +
        'or set KUBEBUILDER_ASSETS to a folder that holds them.',
    );
  }
  const folder = cacheDir();
  mkdirSync(folder, { recursive: true });
  removeAbandonedBuilds(folder);
  // Built aside and renamed: neither an interrupted build nor a second run at the same time leaves half a program.
  const aside = mkdtempSync(join(folder, '.build-'));
  try {
    for (const [index, program] of programs.entries()) {
      const started = performance.now();
      progress(`building ${program} (${index + 1}/${programs.length}) ...`);
      const output = join(aside, program);
      const { code, stderr } = await go(
        ['build', '-trimpath', '-ldflags', linkerFlags(), '-o', output, packages[program]],
        aside,
        signal,
      );
      if (code !== 0 || !existsSync(output)) {
        const lines = stderr.trim().split('\n').slice(-5).join(' | ');
        throw new SetupError(`go could not build ${program} (Go 1.26 or newer is needed): ${lines || `exit ${code}`}`);
      }
      renameSync(output, join(folder, program));
      progress(
        `built ${program} (${index + 1}/${programs.length}) in ${Math.round((performance.now() - started) / 1000)} s`,
      );
    }
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !(name in packages));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}; there are ${allPrograms.join(', ')}`);
    process.exitCode = 2;
  } else {
    try {
      const programs = wanted.length > 0 ? (wanted as Program[]) : allPrograms;
      const paths = await ensureBinaries(programs, { progress: (line) => console.error(line) });
      for (const path of Object.values(paths)) {
        console.log(path);
      }
    } catch (error) {
      if (!(error instanceof SetupError)) {
        throw error;
      }
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}
