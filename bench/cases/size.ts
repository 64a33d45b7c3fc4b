/** How much code is read: what a run in a cluster loads, and all of it. */
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Findings } from '../figures.ts';
import { completeJob, makeJob, type World } from '../world.ts';

/** Says which files of ours were opened, as strace would, but wherever Node runs. */
const RECORDER = path.join(import.meta.dirname, '..', 'recorder.cjs');

export async function codeSize(world: World): Promise<Findings> {
  await completeJob(world, await makeJob(world, 'size'));
  const way = world.ways[0] ?? 'kubeconfig';
  const { argv, env } = world.kubeAwait(['job/size'], way);
  const { program } = world.image;
  const [node, ...args] = argv;
  const { stderr } = await promisify(execFile)(node, ['--require', RECORDER, ...args], { env });
  const files: string[] = JSON.parse(stderr.split('\n').find((line) => line.startsWith('["')) ?? '[]');
  const dir = path.dirname(program);
  const isCode = (file: string): boolean => /\.[cm]?js$/.test(file);
  const sizeOf = (paths: readonly string[]): number => paths.reduce((sum, file) => sum + statSync(file).size, 0) / 1024;
  const own = files.filter((file) => file.startsWith(dir) && isCode(file));
  const all = readdirSync(dir).filter(isCode);
  const figures = [{ bar: 'chunks' as const, value: sizeOf(all.map((name) => path.join(dir, name))) }];
  if (way !== 'in-cluster') return { rows: [], figures, remarks: ['what is loaded was not measured in a cluster'] };
  return { rows: [], figures: [{ bar: 'loaded', value: sizeOf(own) }, ...figures], remarks: [] };
}
