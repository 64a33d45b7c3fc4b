import { afterAll, beforeAll, describe } from 'vitest';
import { type ControlPlane, startControlPlane } from '../faults/control-plane.ts';
import type { Stage } from '../faults/life.ts';
import { type Outage, runOutage } from '../faults/outage.ts';
import { cluster, test } from '../harness/index.ts';

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane(cluster());
});
afterAll(() => plane?.close());

// `npm run test:faults` has longer ones with random waits, and as many as one likes.
const is = (stage: Stage, forMs = 0) => ({ is: stage, forMs });
const WAITS: Outage['waits'] = [
  {
    target: 'job',
    onMissing: 'wait',
    lives: [[is('created'), is('progress'), is('reached')]],
    steps: [1, 0, 1],
  },
  {
    target: 'two jobs',
    onMissing: 'wait',
    lives: [
      [is('created'), is('progress'), is('progress'), is('reached')],
      [is('created'), is('absent'), is('created', 500), is('failed')],
    ],
    steps: [1, 0, 1],
  },
  // The one that is Complete before may be deleted meanwhile.
  {
    target: 'two jobs',
    onMissing: 'fail',
    lives: [
      [is('created'), is('reached'), is('absent')],
      [is('created'), is('progress'), is('progress', 500), is('reached')],
    ],
    steps: [1, 1, 0],
  },
  {
    target: 'pods',
    onMissing: 'wait',
    lives: [
      [is('created'), is('progress'), is('reached')],
      [is('created'), is('progress'), is('progress', 500), is('reached')],
    ],
    steps: [1, 0, 1],
  },
  // Ready before, not ready for a while after, and the other one in between.
  {
    target: 'services',
    onMissing: 'wait',
    lives: [
      [is('created'), is('reached'), is('progress', 1_500), is('reached')],
      [is('created'), is('progress'), is('progress', 500), is('reached')],
    ],
    steps: [1, 0, 2],
  },
];

describe('the API server', () => {
  test('stops while several wait, and starts again', async ({ expect }) => {
    const outage: Outage = { how: 'terminated', forMs: 2_000, waits: WAITS };
    expect(await runOutage(cluster(), plane, outage)).toEqual([]);
  });

  test('comes up again on an etcd that was put back to an older revision', async ({ expect }) => {
    const outage: Outage = { how: 'restored', forMs: 1_000, waits: WAITS };
    expect(await runOutage(cluster(), plane, outage)).toEqual([]);
  });
});
