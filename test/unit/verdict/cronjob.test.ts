import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/kube/object.ts';
import { judgeCronJob } from '../../../src/verdict/cronjob.ts';
import { JOBS, object, resource } from '../objects.ts';

const CRONJOBS = resource('batch', 'cronjobs', 'CronJob');

const cronJob = (spec: object = {}): KubeObject =>
  object(CRONJOBS, { metadata: { name: 'nightly', namespace: 'app', uid: 'c' }, spec });

interface Run {
  readonly at?: string;
  readonly created?: string;
  readonly ended?: 'Complete' | 'Failed';
  readonly annotations?: object;
  readonly owner?: string;
}

const run = (name: string, { at, created, ended, annotations = {}, owner = 'c' }: Run): KubeObject =>
  object(JOBS, {
    metadata: {
      name,
      namespace: 'app',
      uid: name,
      ...(created === undefined ? {} : { creationTimestamp: created }),
      annotations: {
        ...(at === undefined ? {} : { 'batch.kubernetes.io/cronjob-scheduled-timestamp': at }),
        ...annotations,
      },
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'nightly', uid: owner, controller: true }],
    },
    status: { conditions: ended === undefined ? [] : [{ type: ended, status: 'True' }] },
  });

const FIRST = '2026-01-01T00:00:00Z';
const SECOND = '2026-01-02T00:00:00Z';
const MANUAL = { 'cronjob.kubernetes.io/instantiate': 'manual' };

describe('its newest scheduled run decides', () => {
  test.each([
    ['never ran', [], 'complete', 'pending', undefined],
    ['running', [run('a', { at: FIRST })], 'complete', 'pending', 'a'],
    ['complete', [run('a', { at: FIRST, ended: 'Complete' })], 'complete', 'reached', 'a'],
    ['failed, the next one is awaited', [run('a', { at: FIRST, ended: 'Failed' })], 'complete', 'pending', 'a'],
    ['failed', [run('a', { at: FIRST, ended: 'Failed' })], 'finished', 'reached', 'a'],
    [
      'complete once, and running again',
      [run('b', { at: SECOND }), run('a', { at: FIRST, ended: 'Complete' })],
      'complete',
      'pending',
      'b',
    ],
    [
      'failed once, then complete',
      [run('a', { at: FIRST, ended: 'Failed' }), run('b', { at: SECOND, ended: 'Complete' })],
      'complete',
      'reached',
      'b',
    ],
    [
      'two of one moment: the first',
      [run('a', { at: FIRST }), run('b', { at: FIRST, ended: 'Complete' })],
      'complete',
      'pending',
      'a',
    ],
    [
      'started by hand',
      [run('a', { at: FIRST, ended: 'Complete', annotations: MANUAL })],
      'complete',
      'pending',
      undefined,
    ],
    [
      'instantiated in another way',
      [run('a', { at: FIRST, ended: 'Complete', annotations: { 'cronjob.kubernetes.io/instantiate': 'otherwise' } })],
      'complete',
      'reached',
      'a',
    ],
    ["another CronJob's", [run('a', { at: FIRST, ended: 'Complete', owner: 'd' })], 'complete', 'pending', undefined],
    [
      'without the annotation: by its creation',
      [run('a', { created: FIRST, ended: 'Complete' }), run('b', { created: SECOND })],
      'complete',
      'pending',
      'b',
    ],
    [
      'the annotation counts, not the creation',
      [run('b', { at: SECOND, created: FIRST }), run('a', { at: FIRST, created: SECOND, ended: 'Complete' })],
      'complete',
      'pending',
      'b',
    ],
    [
      'one with a time that is none is the oldest',
      [run('a', { at: 'soon', ended: 'Complete' }), run('b', { at: FIRST })],
      'complete',
      'pending',
      'b',
    ],
    [
      'one with no time at all is the oldest',
      [run('b', { at: FIRST }), run('a', { ended: 'Complete' })],
      'complete',
      'pending',
      'b',
    ],
  ] as const)('%s: %o under %s is %s', (_, jobs, goal, state, name) => {
    const verdict = judgeCronJob(cronJob(), jobs, goal);
    const { why } = verdict;
    expect(verdict).toEqual({ state, why, ...(state === 'reached' ? { lasting: 'terminal' } : {}) });
    expect(why).toMatchObject({ code: 'cronjob', suspended: false });
    expect('run' in why ? why.run?.name : 'no run').toBe(name);
  });

  test('a Job that nobody owns is none of its runs', () => {
    const alone = object(JOBS, { metadata: { name: 'a', uid: 'a' } });
    expect(judgeCronJob(cronJob(), [alone], 'complete').why).toMatchObject({ run: undefined });
  });

  test('how the run stands is told', () => {
    expect(judgeCronJob(cronJob(), [run('a', { at: FIRST, ended: 'Failed' })], 'complete').why).toMatchObject({
      run: { name: 'a', state: 'failed', why: { code: 'job', condition: { type: 'Failed' } } },
    });
  });
});

test.each([
  [{ suspend: true }, true],
  [{ suspend: false }, false],
])('%o: told as suspended %s', (spec, suspended) => {
  expect(judgeCronJob(cronJob(spec), [], 'complete')).toEqual({
    state: 'pending',
    why: { code: 'cronjob', suspended, run: undefined },
  });
});
