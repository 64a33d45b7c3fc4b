/** The program as the image has it: the same files, V8's compiled code beside them, the same command line. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const NAME = 'kube-await.cjs';

export interface Image {
  /** Of Node, before the program. */
  readonly flags: readonly string[];
  readonly program: string;
}

/** Made of dist as it is now, so that a new build does not change what is being measured. */
export function layOut(): Image {
  const flags = flagsOf(readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8'));
  const dir = mkdtempSync(path.join(tmpdir(), 'kube-await-bench-'));
  process.on('exit', () => rmSync(dir, { recursive: true }));
  cpSync(path.join(ROOT, 'dist'), dir, { recursive: true });
  const compiler = path.join(ROOT, 'scripts', 'compile-cache.cjs');
  const { status, stderr } = spawnSync(process.execPath, [...flags, compiler, dir], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`compiling ahead failed: ${stderr}`);
  return { flags, program: path.join(dir, NAME) };
}

/** The flags of Node in the line with which the image's program begins. */
export function flagsOf(dockerfile: string): string[] {
  const interpreter = /--interpreter[ =]["']?([^"'\n]+)/.exec(dockerfile)?.[1];
  if (interpreter === undefined) throw new Error('the Dockerfile names no interpreter');
  return interpreter.trim().split(' ').slice(1);
}
