/**
 * How fast, how small and how quiet, beside its peers: whole processes against a real API server, held to bars.
 *
 *   npm run bench [-- --only CASE,...] [--pairs N] [--wait DURATION] [--json FILE]
 *
 * K8S_WAIT_FOR may name k8s-wait-for's script. Exits with 1 where a bar is missed, and with 2 for a usage error.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseDuration } from '../src/cli/duration.ts';
import { SetupError } from '../test/cluster/binaries.ts';
import { CASES, type Scale } from './cases/index.ts';
import { BARS, type Figure, isMet, type Row } from './figures.ts';
import { layOut } from './image.ts';
import { enterPod, isInPod } from './pod.ts';
import { barTable, rowTable } from './table.ts';
import { makeWorld } from './world.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(CASES).join(',') },
    pairs: { type: 'string', default: '20' },
    wait: { type: 'string', default: '10m' },
    json: { type: 'string', default: path.join(ROOT, 'bench', 'results.json') },
  },
});

try {
  process.exitCode = await main();
} catch (error) {
  // Its message is complete.
  if (!(error instanceof SetupError)) throw error;
  process.exitCode = refuse(error.message);
}

async function main(): Promise<number> {
  const names = values.only.split(',');
  const unknown = names.filter((name) => CASES[name] === undefined);
  const pairs = Number(values.pairs);
  const waitMs = parseDuration(values.wait);
  if (unknown.length > 0) return refuse(`no case ${unknown.join(', ')}: there are ${Object.keys(CASES).join(', ')}`);
  if (!Number.isInteger(pairs) || pairs < 1) return refuse(`--pairs: expected a number from 1, got ${values.pairs}`);
  if (waitMs < 10_000) return refuse('--wait: expected 10s or more');
  if (!existsSync(path.join(ROOT, 'dist', 'kube-await.cjs'))) return refuse('dist is missing: npm run build');

  const remarks: string[] = [];
  if (!isInPod()) remarks.push(`no in-cluster configuration: ${await enterPod()}`);
  const script = process.env.K8S_WAIT_FOR || undefined;
  if (script === undefined) remarks.push('without k8s-wait-for: K8S_WAIT_FOR names no script');
  else if (!existsSync(script)) return refuse(`K8S_WAIT_FOR: there is no ${script}`);
  const scale: Scale = {
    pairs,
    events: Math.max(3, Math.round(pairs * 2.5)),
    pods: [10, 200, 1000, 10_000],
    waitMs,
    waiters: 300,
  };

  const world = await makeWorld({ image: layOut(), script });
  const rows: Row[] = [];
  const figures: Figure[] = [];
  try {
    for (const [name, measure] of Object.entries(CASES)) {
      if (!names.includes(name)) continue;
      console.error(`${name} ...`);
      const found = await measure(world, scale);
      rows.push(...found.rows);
      figures.push(...found.figures);
      remarks.push(...found.remarks);
    }
  } finally {
    await world.cluster.stop();
  }
  const ordered = Object.keys(BARS).flatMap((bar) => figures.filter((figure) => figure.bar === bar));
  const unmeasured = Object.entries(BARS).filter(([bar]) => !figures.some((figure) => figure.bar === bar));
  console.log(`${machine()}\n\n${rowTable(rows)}\n\n${barTable(ordered)}`);
  if (unmeasured.length > 0) remarks.push(`not measured: ${unmeasured.map(([, { what }]) => what).join('; ')}`);
  if (remarks.length > 0) console.log(`\n${remarks.map((remark) => `- ${remark}`).join('\n')}`);
  const results = { at: new Date().toISOString(), machine: machine(), scale, rows, figures: ordered, remarks };
  writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
  return ordered.every(isMet) ? 0 : 1;
}

function refuse(message: string): number {
  console.error(`bench: ${message}`);
  return 2;
}

/** What the numbers are true of. */
function machine(): string {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const cores = `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`;
  return `kube-await ${version}, Node ${process.versions.node}, ${cores}, ${memory}, ${new Date().toISOString().slice(0, 10)}`;
}
