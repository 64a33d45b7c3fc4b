import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** The Go package of each program. The names are those of the files in the cache. */
const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  kine: 'github.com/k3s-io/kine',
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

/** An error for the person who runs the tests. Its message is complete, so it has no stack, which vitest would print. */
export class SetupError extends Error {
  constructor(message: string) {
    super(message);
    this.stack = message;
  }
}

/** The Go modules that pin the programs: first the one that the variable selects, if any, then the one of this folder. */
function modules(): readonly string[] {
  const base = import.meta.dirname;
  const variant = process.env.KUBE_AWAIT_TEST_KUBERNETES;
  if (!variant) {
    return [base];
  }
  const known = readdirSync(base).filter((name) => existsSync(join(base, name, 'go.mod')));
  if (!known.includes(variant)) {
    throw new SetupError(`KUBE_AWAIT_TEST_KUBERNETES is ${JSON.stringify(variant)}; set it to ${known.join(', ')}`);
  }
  return [join(base, variant), base];
}

/** The module whose go.mod has this program as a tool. */
function moduleOf(program: Program): string | undefined {
  return modules().find((module) => {
    const lines = readFileSync(join(module, 'go.mod'), 'utf8').split('\n');
    // A version follows in all other lines that name it.
    return lines.some((line) => line.replace(/^tool /, '').trim() === packages[program]);
  });
}

/** All programs that are pinned. */
export function allPrograms(): readonly Program[] {
  return (Object.keys(packages) as Program[]).filter((program) => moduleOf(program) !== undefined);
}

/** The programs of a running control plane. */
export function clusterPrograms(): readonly Program[] {
  const always: readonly Program[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'];
  return moduleOf('kine') ? [...always, 'kine'] : always;
}

/** A build that an interrupted run has left behind is not in use any more after this long. */
const abandonedAfterMs = 60 * 60 * 1000;

/** kubectl and Helm compare versions; a plain `go build` gives them none. */
function linkerFlags(module: string): string {
  const version = /^\s*k8s\.io\/kubernetes (v(\d+)\.(\d+)\S+)/m.exec(readFileSync(join(module, 'go.mod'), 'utf8'));
  if (!version) {
    return '-s -w';
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

/** One folder for each set of sources and flags, so that a change of either builds again and nothing is ever stale. */
function cacheDir(module: string): string {
  const key = createHash('sha256');
  key.update(readFileSync(join(module, 'go.mod')));
  key.update(readFileSync(join(module, 'go.sum')));
  key.update(`${linkerFlags(module)} ${process.platform} ${process.arch}`);
  const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cacheHome, 'kube-await', 'cluster', key.digest('hex').slice(0, 16));
}

interface Place {
  readonly program: Program;
  readonly module: string;
  /** The file in the cache. */
  readonly file: string;
}

function placeOf(program: Program): Place {
  const module = moduleOf(program);
  if (module === undefined) {
    throw new Error(`no go.mod of the test cluster has ${packages[program]} as a tool`);
  }
  return { program, module, file: join(cacheDir(module), program) };
}

/** The path of the program, if it exists. KUBEBUILDER_ASSETS replaces only what the go.mod of this folder pins. */
function find({ program, module, file }: Place): string | undefined {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const given = assets && module === import.meta.dirname ? [join(assets, program)] : [];
  return [...given, file].find((path) => existsSync(path));
}

/** Whether a program of this name is on the PATH. */
export function onPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, command)));
}

/** Runs go and gives its error output; the program is only there when the exit code was 0. */
function go(
  args: string[],
  cwd: string,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn('go', args, {
      cwd,
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
  const places = programs.map(placeOf);
  const missing = places.filter((place) => find(place) === undefined);
  if (missing.length > 0) {
    await build(missing, options);
  }
  return Object.fromEntries(places.map((place) => [place.program, find(place) ?? place.file]));
}

async function build(places: readonly Place[], { progress = () => {}, signal }: BuildOptions): Promise<void> {
  if (!onPath('go')) {
    const names = places.map(({ program }) => program).join(', ');
    throw new SetupError(
      `The test cluster needs ${names}: install Go 1.26 or newer (https://go.dev/dl) to build them, ` +
        'or set KUBEBUILDER_ASSETS to a folder that holds them.',
    );
  }
  for (const [index, { program, module, file }] of places.entries()) {
    const started = performance.now();
    progress(`building ${program} (${index + 1}/${places.length}) ...`);
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true });
    removeAbandonedBuilds(folder);
    // Built aside and renamed: neither an interrupted build nor a second run at the same time leaves half a program.
    const aside = mkdtempSync(join(folder, '.build-'));
    try {
      const output = join(aside, program);
      const { code, stderr } = await go(
        ['build', '-trimpath', '-ldflags', linkerFlags(module), '-o', output, packages[program]],
        module,
        aside,
        signal,
      );
      if (code !== 0 || !existsSync(output)) {
        const lines = stderr.trim().split('\n').slice(-5).join(' | ');
        throw new SetupError(`go could not build ${program} (Go 1.26 or newer is needed): ${lines || `exit ${code}`}`);
      }
      renameSync(output, file);
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
    progress(
      `built ${program} (${index + 1}/${places.length}) in ${Math.round((performance.now() - started) / 1000)} s`,
    );
  }
}

if (import.meta.main) {
  try {
    const known = allPrograms();
    const wanted = process.argv.slice(2) as Program[];
    const unknown = wanted.filter((name) => !known.includes(name));
    if (unknown.length > 0) {
      console.error(`unknown: ${unknown.join(', ')}; there are ${known.join(', ')}`);
      process.exitCode = 2;
    } else {
      const programs = wanted.length > 0 ? wanted : known;
      const paths = await ensureBinaries(programs, { progress: (line) => console.error(line) });
      for (const path of Object.values(paths)) {
        console.log(path);
      }
    }
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    console.error(error.message);
    process.exitCode = 1;
  }
}
