import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { cluster, test } from '../harness/index.ts';
import { makeBench, removeBench } from './bench.ts';
import { type Bench, type Case, randomCases, runCase } from './case.ts';
import type { Fault } from './faults.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await makeBench(cluster());
});
afterAll(() => removeBench(bench));

interface Kept {
  readonly title: string;
  readonly case: Omit<Case, 'script'> & { readonly script: readonly (Fault | null)[] };
}

const kept = JSON.parse(readFileSync(join(import.meta.dirname, 'kept.json'), 'utf8')) as readonly Kept[];

describe.concurrent('a case that is kept', () => {
  test.for(kept)('$title', async ({ case: one }, { expect }) => {
    const script = one.script.map((fault) => fault ?? undefined);
    expect(await runCase(bench, { ...one, script })).toEqual([]);
  });
});

// More of them: test/slow/faults.test.ts, and `npm run test:faults`.
describe.concurrent('random lives through random faults', () => {
  test.for([...randomCases(10).entries()])('case %i', async ([, one], { expect }) => {
    expect(await runCase(bench, one)).toEqual([]);
  });
});

describe.concurrent('a process that gets no connection', () => {
  test.for([
    ['one target', ['job/x']],
    ['three targets', ['job/x', 'pod/x', 'deploy/x']],
  ] as const)(
    'connects at most once a second after the first three, and once more per target before the timeout: %s',
    async ([, targets], { bare, onTestFinished, expect }) => {
      const tries: Socket[] = [];
      const door = createServer((socket) => {
        tries.push(socket);
        socket.destroy();
      });
      await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void door.close());
      const { port } = door.address() as AddressInfo;
      const args = [
        ...targets,
        `--server=https://127.0.0.1:${port}`,
        '--token=x',
        '--timeout=15s',
        '--insecure-skip-tls-verify',
      ];
      const { code } = await bare(args, { kubeconfig: 'none' }).exit;
      expect(code).toBe(124);
      // The first of each target, three more, one for each of the 15 seconds, and the last look at each target.
      expect(tries.length).toBeGreaterThan(targets.length + 3);
      expect(tries.length).toBeLessThanOrEqual(2 * targets.length + 3 + 15);
    },
  );
});
