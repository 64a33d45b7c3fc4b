import { describe, expect, test } from 'vitest';
import { fromHttp, notServed, type Problem } from '../../../src/kube/problem.ts';
import { awaited } from '../../../src/wait/alternatives.ts';
import type { Target } from '../../../src/wait/plan.ts';
import { earlier } from '../../../src/wait/scene.ts';
import { begin, step } from '../../../src/wait/step.ts';
import { JOBS, job, named, PODS, pod, selected } from '../objects.ts';
import { DOWN, FORBIDDEN, Script, SECOND, status } from './script.ts';

describe('a Job by name', () => {
  const migrate = (more: Partial<Target> = {}): Target => named(JOBS, 'migrate', more);
  const first = { uid: '1' };
  const second = { uid: '2' };

  test('no answer yet: nothing is known', () => {
    expect(new Script([migrate()]).statuses).toEqual(['unknown']);
  });

  test('running, then Complete: reached', () => {
    const run = new Script([migrate()]).sees('jobs', [job('migrate', undefined)]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('jobs', [job('migrate', 'Complete')]).ending).toBe('reached');
  });

  test.each([
    ['Never', 0, 'after 5 s'],
    ['OnFailure', 6, 'after 5 s'],
    ['OnFailure', 2, 'after 5 s'],
    ['OnFailure', 1, 'at once'],
    ['OnFailure', 0, 'at once'],
  ] as const)(
    'not ready, restartPolicy %s, backoffLimit %i: its pods are read %s',
    (restartPolicy, backoffLimit, when) => {
      const spec = { selector: { matchLabels: { a: 'b' } }, restartPolicy, backoffLimit };
      const run = new Script([migrate()]).sees('jobs', [{ ...job('migrate', undefined), spec }]);
      expect(run.wanted('pods') !== undefined).toBe(when === 'at once');
      expect(run.at(4.9).wanted('pods') !== undefined).toBe(when === 'at once');
      expect(run.at(5).wanted('pods')?.need).toBe('optional');
      // Its container runs for the moment.
      run.sees('jobs', [{ ...job('migrate', undefined), spec, status: { active: 1, ready: 1 } }]);
      expect(run.wanted('pods') !== undefined).toBe(when === 'at once');
    },
  );

  test('Failed: the run fails', () => {
    expect(new Script([migrate()]).sees('jobs', [job('migrate', 'Failed')]).ending).toBe('failed');
  });

  test('FailureTarget: fails at once, but is not yet finished', () => {
    expect(new Script([migrate()]).sees('jobs', [job('migrate', 'FailureTarget')]).ending).toBe('failed');
    const finished = new Script([migrate({ goals: [{ for: 'finished' }] })]);
    expect(finished.sees('jobs', [job('migrate', 'FailureTarget')]).ending).toBeUndefined();
    expect(finished.sees('jobs', [job('migrate', 'Failed')]).ending).toBe('reached');
  });

  test('missing under wait: pending until it is made', () => {
    const run = new Script([migrate()]).sees('jobs', []).at(599);
    expect(run.statuses).toEqual(['pending']);
    expect(run.sees('jobs', [job('migrate', 'Complete')]).ending).toBe('reached');
  });

  test.each([
    ['fail', 'failed'],
    ['succeed', 'reached'],
  ] as const)('missing under %s: %s once the grace is over, not before', (onMissing, ending) => {
    const run = new Script([migrate({ onMissing })]).at(7).sees('jobs', []);
    expect(run.wakeAt).toBe(17 * SECOND);
    expect(run.at(16.9).ending).toBeUndefined();
    expect(run.at(17).ending).toBe(ending);
  });

  test('the grace begins anew with a deletion', () => {
    const run = new Script([migrate({ onMissing: 'fail' })]).sees('jobs', [job('migrate', undefined)]);
    run.at(100).sees('jobs', [], [job('migrate', undefined)]);
    expect(run.at(109.9).ending).toBeUndefined();
    expect(run.at(110).ending).toBe('failed');
  });

  test('deleted after Complete, while another target is pending: still reached', () => {
    const run = new Script([migrate(), named(JOBS, 'seed')]);
    run.sees('jobs', [job('migrate', undefined)], [], 'migrate').sees('jobs', [], [], 'seed');
    run.sees('jobs', [], [job('migrate', 'Complete')], 'migrate');
    expect(run.statuses).toEqual(['reached', 'pending']);
    expect(run.sees('jobs', [job('seed', 'Complete')], [], 'seed').ending).toBe('reached');
  });

  test('gone without its last state: outcome unknown, never reached', () => {
    const run = new Script([migrate(), named(JOBS, 'seed')]).sees('jobs', [job('migrate', undefined)], [], 'migrate');
    run.sees('jobs', [], [], 'migrate');
    expect(run.state.targets[0]?.status).toEqual({
      state: 'pending',
      uid: 'uid-migrate',
      why: { code: 'missing', lost: { name: 'migrate', outcome: 'unknown' }, taken: 'pending', containers: undefined },
    });
  });

  test('a new Job of the name takes the place of one that was reached', () => {
    const run = new Script([migrate(), named(JOBS, 'seed')]).sees(
      'jobs',
      [job('migrate', 'Complete', first)],
      [],
      'migrate',
    );
    run.sees('jobs', [job('migrate', undefined, second)], [job('migrate', 'Complete', first)], 'migrate');
    expect(run.statuses).toEqual(['pending', 'unknown']);
  });

  test('a new Job of the name takes the place of one that was lost', () => {
    const run = new Script([migrate()]).sees('jobs', [job('migrate', undefined, first)]);
    run.sees('jobs', [], [job('migrate', undefined, first)]);
    expect(run.sees('jobs', [job('migrate', 'Complete', second)]).ending).toBe('reached');
  });

  test('a predecessor on its way out is missing, Complete or not', () => {
    const run = new Script([migrate()]).sees('jobs', [job('migrate', 'Complete', { ...first, deleting: true })]);
    expect(run.statuses).toEqual(['pending']);
    run.sees('jobs', [], [job('migrate', 'Complete', { ...first, deleting: true })]);
    expect(run.statuses).toEqual(['pending']);
    expect(run.sees('jobs', [job('migrate', 'Complete', second)]).ending).toBe('reached');
  });

  test('one seen alive keeps counting while it is being deleted', () => {
    const run = new Script([migrate()]).sees('jobs', [job('migrate', undefined, first)]);
    expect(run.sees('jobs', [job('migrate', 'Complete', { ...first, deleting: true })]).ending).toBe('reached');
  });
});

describe('the timeout', () => {
  test('passes: every other target named', () => {
    const run = new Script([named(JOBS, 'a')], { timeoutMs: 5 * SECOND }).sees('jobs', [job('a', undefined)]);
    expect(run.wakeAt).toBe(4 * SECOND);
    expect(run.at(4.9).wakeAt).toBe(5 * SECOND);
    expect(run.ending).toBeUndefined();
    expect(run.at(5).ending).toBe('timeout');
  });

  test('negative is for ever', () => {
    const run = new Script([named(JOBS, 'a')], { timeoutMs: Number.POSITIVE_INFINITY }).sees('jobs', []);
    expect(run.wakeAt).toBeUndefined();
    expect(run.at(1e9).ending).toBeUndefined();
  });

  test.each([
    ['reached', [job('a', 'Complete')], 'wait'],
    ['failed', [job('a', 'Failed')], 'wait'],
    ['timeout', [job('a', undefined)], 'wait'],
    ['timeout', [], 'wait'],
    ['failed', [], 'fail'],
    ['reached', [], 'succeed'],
  ] as const)('0 is one look without grace: %s for %j under %s', (ending, objects, onMissing) => {
    const run = new Script([named(JOBS, 'a', { onMissing })], { timeoutMs: 0 });
    expect(run.ending).toBeUndefined();
    expect(run.sees('jobs', objects).ending).toBe(ending);
  });

  test('0 waits for the list of each target', () => {
    const run = new Script([named(JOBS, 'a'), named(JOBS, 'b')], { timeoutMs: 0 }).sees('jobs', [], [], 'a');
    expect(run.ending).toBeUndefined();
    expect(run.sees('jobs', [], [], 'b').ending).toBe('timeout');
  });

  test('0 looks at the Jobs of the pods that it finds', () => {
    const run = new Script([selected(PODS)], { timeoutMs: 0 });
    run.sees('pods', [pod('a-1', 'Succeeded', { owner: { kind: 'Job', name: 'a', uid: 'ja' } })]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('jobs', [job('a', undefined, { uid: 'ja' })]).ending).toBe('timeout');
  });

  test('0 against a server that is down ends', () => {
    expect(new Script([named(JOBS, 'a')], { timeoutMs: 0 }).fails('jobs', DOWN).ending).toBe('timeout');
  });

  test('wins over every grace, and a verdict of the same moment wins over it', () => {
    const late = named(JOBS, 'a', { onMissing: 'fail', missingGraceMs: 60 * SECOND });
    expect(new Script([late], { timeoutMs: 30 * SECOND }).sees('jobs', []).at(30).ending).toBe('timeout');
    const same = named(JOBS, 'a', { onMissing: 'fail', missingGraceMs: 30 * SECOND });
    expect(new Script([same], { timeoutMs: 30 * SECOND }).sees('jobs', []).at(30).ending).toBe('failed');
  });
});

describe('one look', () => {
  const GONE_WRONG = status(400, 'BadRequest');
  type Answer = (run: Script, resource: string) => Script;
  const answers: Readonly<Record<string, Answer>> = {
    failed: (run, resource) => run.sees(resource, [resource === 'jobs' ? job('a', 'Failed') : pod('b', 'Failed')]),
    usage: (run, resource) => run.fails(resource, GONE_WRONG),
    refused: (run, resource) => run.fails(resource, FORBIDDEN),
    timeout: (run, resource) => run.sees(resource, []),
    'timeout, unreachable': (run, resource) => run.fails(resource, DOWN),
    reached: (run, resource) =>
      run.sees(resource, [resource === 'jobs' ? job('a', 'Complete') : pod('b', 'Succeeded')]),
  };
  const order = ['failed', 'usage', 'refused', 'timeout', 'timeout, unreachable', 'reached'];
  const pairs = order.flatMap((first) => order.map((second) => [first, second] as const));

  for (const onRefused of ['fail', 'wait'] as const) {
    test.each(pairs)(`is one answer for every target, under --on-refused=${onRefused}: %s and %s`, (first, second) => {
      const worst = order[Math.min(order.indexOf(first), order.indexOf(second))]?.split(',')[0];
      for (const [one, other] of [
        ['jobs', 'pods'],
        ['pods', 'jobs'],
      ] as const) {
        const run = new Script([named(JOBS, 'a'), named(PODS, 'b')], { timeoutMs: 0, onRefused });
        expect(answers[first]?.(run, one).ending).toBeUndefined();
        expect(answers[second]?.(run, other).ending).toBe(worst);
      }
    });
  }
});

describe('a first LIST that can never be answered', () => {
  const BAD = status(400, 'BadRequest');

  test.each([
    ['a 400', BAD],
    ['a redirect', fromHttp(302, { location: 'https://login.test' }, '')],
    ['a kind that is not served', notServed(JOBS)],
  ] as const)('%s ends the run at once and says for which target', (_, problem) => {
    const [a, b] = [named(PODS, 'a'), named(JOBS, 'b')];
    const run = new Script([a, b]).fails('jobs', problem);
    expect(run.state.ending).toEqual({ kind: 'usage', target: b, problem });
  });

  test.each([
    ['a 400 of something in front', fromHttp(400, {}, 'no')],
    ['a 500', status(500, 'InternalError')],
  ])('%s is retried', (_, problem) => {
    expect(new Script([named(JOBS, 'a')]).fails('jobs', problem).ending).toBeUndefined();
  });

  test('also after the server was out of reach', () => {
    expect(new Script([named(JOBS, 'a')]).fails('jobs', DOWN).fails('jobs', BAD).ending).toBe('usage');
  });

  test('later it is retried', () => {
    const run = new Script([named(JOBS, 'a')]).sees('jobs', []).fails('jobs', BAD);
    expect(run.ending).toBeUndefined();
  });

  test('of the Jobs of its pods it is retried', () => {
    const owner = { kind: 'Job', name: 'a', uid: 'ja' };
    const run = new Script([selected(PODS)]).sees('pods', [pod('a-1', 'Succeeded', { owner })]).fails('jobs', BAD);
    expect(run.ending).toBeUndefined();
  });

  test.each(['fail', 'wait'] as const)(
    'at the moment of the timeout, under --on-refused=%s, 2 comes before 3 and 124',
    (onRefused) => {
      const targets = [named(JOBS, 'a'), named(PODS, 'b')];
      const run = new Script(targets, { timeoutMs: 5 * SECOND, onRefused }).fails('pods', FORBIDDEN);
      run.now = 5 * SECOND;
      expect(run.fails('jobs', BAD).ending).toBe('usage');
    },
  );
});

test('3 comes before 124', () => {
  const run = new Script([named(JOBS, 'a')], { timeoutMs: 5 * SECOND }).fails('jobs', FORBIDDEN);
  run.now = 5 * SECOND;
  expect(run.fails('jobs', FORBIDDEN).ending).toBe('refused');
});

describe('a credential plugin that fails', () => {
  const BROKEN: Problem = { kind: 'credentials', message: 'the plugin failed' };

  test('is a refusal while the API server has never answered', () => {
    const run = new Script([named(JOBS, 'a'), named(PODS, 'b')]).fails('jobs', BROKEN).at(4.9).fails('jobs', BROKEN);
    expect(run.ending).toBeUndefined();
    run.now = 5 * SECOND;
    expect(run.fails('jobs', BROKEN).ending).toBe('refused');
  });

  test('is waited out once the API server has answered anything', () => {
    const run = new Script([named(JOBS, 'a'), named(PODS, 'b')]).sees('pods', []).fails('jobs', BROKEN).at(60);
    expect(run.fails('jobs', BROKEN).ending).toBeUndefined();
  });

  test('under --on-refused=wait is waited out, and one look ends with it', () => {
    const patient = new Script([named(JOBS, 'a')], { onRefused: 'wait' }).fails('jobs', BROKEN).at(60);
    expect(patient.fails('jobs', BROKEN).ending).toBeUndefined();
    expect(new Script([named(JOBS, 'a')], { timeoutMs: 0 }).fails('jobs', BROKEN).ending).toBe('refused');
  });
});

describe('a refusal', () => {
  test('ends the run when it has lasted 5 s', () => {
    const run = new Script([named(JOBS, 'a')]).at(3).fails('jobs', FORBIDDEN);
    expect(run.at(7.9).fails('jobs', FORBIDDEN).ending).toBeUndefined();
    expect(run.at(8).fails('jobs', FORBIDDEN).ending).toBe('refused');
  });

  test('does not last by time alone: the next answer may be that it is granted', () => {
    const run = new Script([named(JOBS, 'a')]).fails('jobs', FORBIDDEN).at(60);
    expect(run.ending).toBeUndefined();
    expect(run.sees('jobs', [job('a', 'Complete')]).ending).toBe('reached');
  });

  test('begins anew after a success', () => {
    const run = new Script([named(JOBS, 'a')]).fails('jobs', FORBIDDEN).at(4);
    run.emit('jobs', { what: 'answered', verb: 'list' }).fails('jobs', FORBIDDEN);
    expect(run.at(8.9).fails('jobs', FORBIDDEN).ending).toBeUndefined();
    expect(run.at(9).fails('jobs', FORBIDDEN).ending).toBe('refused');
  });

  test('has 30 s after the server was out of reach', () => {
    const run = new Script([named(JOBS, 'a')]).fails('jobs', DOWN).at(2).fails('jobs', FORBIDDEN);
    expect(run.at(31.9).fails('jobs', FORBIDDEN).ending).toBeUndefined();
    expect(run.at(32).fails('jobs', FORBIDDEN).ending).toBe('refused');
  });

  test('under --on-refused=wait is waited out', () => {
    const run = new Script([named(JOBS, 'a')], { onRefused: 'wait' }).fails('jobs', FORBIDDEN);
    expect(run.at(599).ending).toBeUndefined();
    expect(run.at(600).ending).toBe('timeout');
  });

  test('of another target does not hide a failure', () => {
    const run = new Script([named(JOBS, 'a'), named(PODS, 'b')]).fails('jobs', FORBIDDEN).at(4.9);
    expect(run.sees('pods', [pod('b', 'Failed')]).ending).toBe('failed');
  });

  test('under --on-refused=wait is waited out, however often it comes', () => {
    const run = new Script([named(JOBS, 'a')], { onRefused: 'wait' });
    for (const second of [0, 5, 300, 599]) expect(run.at(second).fails('jobs', FORBIDDEN).ending).toBeUndefined();
    const once = new Script([named(JOBS, 'a')], { onRefused: 'wait', timeoutMs: 0 });
    expect(once.fails('jobs', FORBIDDEN).ending).toBe('refused');
  });

  test('says what was refused', () => {
    const run = new Script([named(JOBS, 'a')]).fails('jobs', FORBIDDEN).at(5).fails('jobs', FORBIDDEN);
    expect(run.state.ending).toMatchObject({
      kind: 'refused',
      want: { need: 'required', spec: { resource: JOBS, namespace: 'app', name: 'a', mode: 'watch', keep: 'verdict' } },
      verb: 'list',
      problem: FORBIDDEN,
    });
  });

  test('has 30 s after a connection was cut, and after whatever came between', () => {
    const run = new Script([named(JOBS, 'a')]).fails('jobs', { kind: 'interrupted', message: 'cut' });
    run.fails('jobs', status(500, 'InternalError')).fails('jobs', FORBIDDEN);
    expect(run.at(29.9).fails('jobs', FORBIDDEN).ending).toBeUndefined();
    expect(run.at(30).fails('jobs', FORBIDDEN).ending).toBe('refused');
  });

  test('has 5 s after an error of the server', () => {
    const run = new Script([named(JOBS, 'a')]).fails('jobs', status(500, 'InternalError')).fails('jobs', FORBIDDEN);
    expect(run.at(5).fails('jobs', FORBIDDEN).ending).toBe('refused');
  });

  test('that only leads to another way is none', () => {
    const run = new Script([named(JOBS, 'a')]).emit('jobs', { what: 'fallback', to: 'get', problem: FORBIDDEN });
    expect(run.at(60).ending).toBeUndefined();
  });

  test('with --timeout 0 ends at once', () => {
    expect(new Script([named(JOBS, 'a')], { timeoutMs: 0 }).fails('jobs', FORBIDDEN).ending).toBe('refused');
  });

  test('a 500 is no refusal', () => {
    expect(new Script([named(JOBS, 'a')]).fails('jobs', status(500, 'InternalError')).at(500).ending).toBeUndefined();
  });
});

describe('pods by selector', () => {
  const ofJob = (name: string, phase: string) =>
    pod(name, phase, { owner: { kind: 'Job', name: 'migrate', uid: 'job-1' } });
  const ofReplicaSet = (name: string, phase: string, more = {}) =>
    pod(name, phase, { owner: { kind: 'ReplicaSet', name: 'web', uid: 'rs-1' }, policy: 'Always', ...more });

  test('tasks: reached when the last one is done', () => {
    const run = new Script([selected(PODS)]).sees('pods', [pod('a', 'Succeeded'), pod('b', 'Running')]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [pod('a', 'Succeeded'), pod('b', 'Succeeded')]).ending).toBe('reached');
  });

  test('tasks: the first failure is the end', () => {
    expect(new Script([selected(PODS)]).sees('pods', [pod('a', 'Failed'), pod('b', 'Running')]).ending).toBe('failed');
  });

  test('nothing found is missing, not reached', () => {
    expect(new Script([selected(PODS)]).sees('pods', []).at(599).statuses).toEqual(['pending']);
    const fails = new Script([selected(PODS, { onMissing: 'fail' })]).sees('pods', []);
    expect(fails.at(9.9).ending).toBeUndefined();
    expect(fails.at(10).ending).toBe('failed');
  });

  test('a service pod is done when it is ready, and only as long as it is', () => {
    const run = new Script([selected(PODS), named(JOBS, 'seed')]);
    run.sees('pods', [ofReplicaSet('a', 'Running', { ready: true })]).sees('jobs', []);
    expect(run.statuses).toEqual(['reached', 'pending']);
    run.sees('pods', [ofReplicaSet('a', 'Running', { ready: false })]);
    expect(run.statuses).toEqual(['pending', 'pending']);
    expect(run.sees('jobs', [job('seed', 'Complete')]).ending).toBeUndefined();
    expect(run.sees('pods', [ofReplicaSet('a', 'Running', { ready: true })]).ending).toBe('reached');
  });

  test('a failed pod that its controller replaces does not count', () => {
    const evicted = ofReplicaSet('a', 'Failed');
    const run = new Script([selected(PODS)]).sees('pods', [evicted]);
    expect(run.statuses).toEqual(['pending']);
    expect(run.sees('pods', [evicted, ofReplicaSet('b', 'Running', { ready: true })]).ending).toBe('reached');
  });

  test('only pods that are not counted: pending, not missing', () => {
    const run = new Script([selected(PODS, { onMissing: 'fail' })]).sees('pods', [ofReplicaSet('a', 'Failed')]);
    expect(run.at(599).ending).toBeUndefined();
  });

  test('a failed pod of any other controller is a failure', () => {
    const owner = { kind: 'Workflow', apiVersion: 'argoproj.io/v1alpha1', name: 'w', uid: 'w' };
    expect(new Script([selected(PODS)]).sees('pods', [pod('a', 'Failed', { owner })]).ending).toBe('failed');
  });

  test('pods of a Job: reached with the Job, not with the pods', () => {
    const run = new Script([selected(PODS)]).sees('pods', [ofJob('m-1', 'Succeeded')]);
    expect(run.ending).toBeUndefined();
    expect(run.wanted('jobs')?.spec).toMatchObject({ name: 'migrate', namespace: 'app' });
    expect(run.sees('jobs', [job('migrate', undefined, { uid: 'job-1' })]).ending).toBeUndefined();
    expect(run.sees('jobs', [job('migrate', 'Complete', { uid: 'job-1' })]).ending).toBe('reached');
  });

  test('pods of a Job: a failed pod is a try, the failed Job is the end', () => {
    const run = new Script([selected(PODS)]).sees('pods', [ofJob('m-1', 'Failed')]);
    run.sees('jobs', [job('migrate', undefined, { uid: 'job-1' })]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('jobs', [job('migrate', 'Failed', { uid: 'job-1' })]).ending).toBe('failed');
  });

  test('pods of a Job under finished: its failure is an end too', () => {
    const run = new Script([selected(PODS, { goals: [{ for: 'finished' }] })]).sees('pods', [ofJob('m-1', 'Failed')]);
    expect(run.sees('jobs', [job('migrate', 'Failed', { uid: 'job-1' })]).ending).toBe('reached');
  });

  test('pods of a Job that is Complete and deleted in one moment: reached', () => {
    const run = new Script([selected(PODS)]).sees('pods', [ofJob('m-1', 'Running')]);
    run.sees('jobs', [job('migrate', undefined, { uid: 'job-1' })]);
    expect(run.sees('jobs', [], [job('migrate', 'Complete', { uid: 'job-1' })]).ending).toBe('reached');
  });

  test('pods of a Job that was deleted while it was about to fail: failed, but nobody saw it end', () => {
    const about = job('migrate', 'FailureTarget', { uid: 'job-1' });
    const start = (more: Partial<Target> = {}): Script =>
      new Script([selected(PODS, more)])
        .sees('pods', [ofJob('m-1', 'Running')])
        .sees('jobs', [job('migrate', undefined, { uid: 'job-1' })])
        .sees('jobs', [], [about]);
    expect(start().ending).toBe('failed');
    const finished = start({ goals: [{ for: 'finished' }], onMissing: 'fail' });
    expect(finished.ending).toBeUndefined();
    expect(finished.at(10).ending).toBe('failed');
  });

  test('pods of a Job that nobody saw end: never reached by themselves', () => {
    const run = new Script([selected(PODS)]).sees('pods', [ofJob('m-1', 'Succeeded')]).sees('jobs', []);
    expect(run.at(599).statuses).toEqual(['pending']);
  });

  test('a new Job of the same name is another Job', () => {
    const run = new Script([selected(PODS)]).sees('pods', [ofJob('m-1', 'Succeeded')]);
    expect(run.sees('jobs', [job('migrate', 'Complete', { uid: 'job-2' })]).ending).toBeUndefined();
  });

  test('pods of a Job that was made anew: the new Job counts, whatever became of the old one', () => {
    const labels = [undefined, 'Complete'] as const;
    for (const ended of labels) {
      const run = new Script([selected(PODS), named(PODS, 'gate')]).sees('pods', [], [], 'gate');
      run.sees('pods', [ofJob('m-1', 'Running')], [], undefined);
      run.sees('jobs', [job('migrate', ended, { uid: 'job-1' })]);
      // A pod that is stopped ends before it goes.
      run.sees('pods', [], [ofJob('m-1', ended === undefined ? 'Failed' : 'Succeeded')]);
      run.sees('jobs', [job('migrate', undefined, { uid: 'job-2' })], [job('migrate', ended, { uid: 'job-1' })]);
      expect(run.wanted('jobs')?.spec.name).toBe('migrate');
      expect(run.statuses[0]).toBe('pending');
      const next = pod('m-2', 'Succeeded', { owner: { kind: 'Job', name: 'migrate', uid: 'job-2' } });
      run.sees('pods', [next]);
      expect(run.wanted('jobs')?.spec.name).toBe('migrate');
      expect(run.statuses[0]).toBe('pending');
      run.sees('jobs', [job('migrate', 'Complete', { uid: 'job-2' })]);
      expect(run.statuses[0]).toBe('reached');
    }
  });

  test('pods of a Job that were deleted with it before it was done leave a gap', () => {
    const running = ofJob('m-1', 'Running');
    const start = (more: Partial<Target> = {}): Script =>
      new Script([selected(PODS, more)])
        .sees('pods', [running, pod('b', 'Succeeded')])
        .sees('jobs', [job('migrate', undefined, { uid: 'job-1' })]);
    // The Job first, as in the background, or its pods first, as in the foreground.
    const background = (run: Script): Script =>
      run
        .sees('jobs', [], [job('migrate', undefined, { uid: 'job-1' })])
        .sees('pods', [pod('b', 'Succeeded')], [running]);
    const foreground = (run: Script): Script =>
      run
        .sees('pods', [pod('b', 'Succeeded')], [running])
        .sees('jobs', [], [job('migrate', undefined, { uid: 'job-1' })]);
    for (const deleted of [background, foreground]) {
      const run = deleted(start());
      expect(run.ending).toBeUndefined();
      expect(run.sees('pods', [], [], 'm-1').at(599).statuses).toEqual(['pending']);
      const failing = deleted(start({ onMissing: 'fail' })).sees('pods', [], [], 'm-1');
      expect(failing.at(9.9).ending).toBeUndefined();
      expect(failing.at(10).ending).toBe('failed');
      expect(
        deleted(start({ onMissing: 'succeed' }))
          .sees('pods', [], [], 'm-1')
          .at(10).ending,
      ).toBe('reached');
    }
  });

  test('a pod of a Job that is deleted is made again: the Job decides', () => {
    const running = ofJob('m-1', 'Running');
    const run = new Script([selected(PODS)])
      .sees('pods', [running])
      .sees('jobs', [job('migrate', undefined, { uid: 'job-1' })]);
    run.sees('pods', [], [running]).sees('pods', [], [], 'm-1');
    expect(run.at(599).statuses).toEqual(['pending']);
    expect(run.sees('jobs', [job('migrate', 'Complete', { uid: 'job-1' })]).ending).toBe('reached');
  });

  test('while it is looked up whether the only pod of a Job was deleted, no policy has a say', () => {
    const running = ofJob('m-1', 'Running');
    const alive = job('migrate', undefined, { uid: 'job-1' });
    for (const onMissing of ['fail', 'succeed'] as const) {
      const run = new Script([selected(PODS, { onMissing, missingGraceMs: 0 })]).sees('pods', [running]);
      run.sees('jobs', [alive]).sees('pods', [], [running]);
      expect(run.statuses).toEqual(['pending']);
      run.sees('pods', [], [], 'm-1');
      // The Job makes another: nothing is missing.
      expect(run.statuses).toEqual(['pending']);
      run.sees('jobs', [], [alive]);
      expect(run.ending).toBe(onMissing === 'fail' ? 'failed' : 'reached');
    }
  });

  test('of the pods of a Job that go together one is looked up', () => {
    const pods = ['m-1', 'm-2', 'm-3'].map((name) => ofJob(name, 'Running'));
    const run = new Script([selected(PODS)])
      .sees('pods', pods)
      .sees('jobs', [job('migrate', undefined, { uid: 'job-1' })]);
    run.sees('pods', [], pods);
    expect(run.wants.map(({ spec }) => spec.name)).toEqual([undefined, 'migrate', 'm-1']);
    run.sees('pods', [], [], 'm-1');
    expect(run.wants.map(({ spec }) => spec.name)).toEqual([undefined, 'migrate']);
    expect(run.statuses).toEqual(['pending']);
  });

  test('a Job made anew that was done without a pod of the selection says nothing', () => {
    const run = new Script([selected(PODS, { onMissing: 'fail' })]).sees('pods', [ofJob('m-1', 'Succeeded')]);
    run.sees('jobs', [job('migrate', undefined, { uid: 'job-2' })]).at(100);
    run.sees('jobs', [job('migrate', 'Complete', { uid: 'job-2' })]);
    // Its pods may be told a moment later.
    expect(run.at(109.9).ending).toBeUndefined();
    expect(run.at(110).ending).toBe('failed');
  });

  test('a pod of a Job that left the selection by an edit of its labels takes its Job with it', () => {
    const running = ofJob('m-1', 'Running');
    const run = new Script([selected(PODS)]).sees('pods', [running, pod('b', 'Succeeded')]);
    run.sees('jobs', [job('migrate', undefined, { uid: 'job-1' })]).sees('pods', [pod('b', 'Succeeded')], [running]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [running], [], 'm-1').ending).toBe('reached');
  });

  test('the grace for a Job that is not there runs from when it was not', () => {
    const run = new Script([selected(PODS, { onMissing: 'fail' })]).sees('pods', []).at(9);
    run
      .sees('pods', [ofJob('m-1', 'Running')])
      .at(100)
      .sees('jobs', []);
    expect(run.ending).toBeUndefined();
    expect(run.at(109.9).ending).toBeUndefined();
    expect(run.at(110).ending).toBe('failed');
  });

  test('jobs refused: the run is refused, unless --expect says how many there are', () => {
    const run = new Script([selected(PODS)]).sees('pods', [ofJob('m-1', 'Succeeded')]).fails('jobs', FORBIDDEN);
    expect(run.at(5).fails('jobs', FORBIDDEN).ending).toBe('refused');
    const counted = new Script([selected(PODS, { expect: 2 })]);
    counted
      .sees('pods', [ofJob('m-1', 'Succeeded')])
      .fails('jobs', FORBIDDEN)
      .at(60);
    expect(counted.ending).toBeUndefined();
    expect(counted.sees('pods', [ofJob('m-1', 'Succeeded'), ofJob('m-2', 'Succeeded')]).ending).toBe('reached');
  });

  test('--expect: a failed Job is the end where jobs may be read', () => {
    const run = new Script([selected(PODS, { expect: 2 })]).sees('pods', [ofJob('m-1', 'Failed')]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('jobs', [job('migrate', 'Failed', { uid: 'job-1' })]).ending).toBe('failed');
  });

  test('a task deleted before it was done leaves a gap', () => {
    const run = new Script([selected(PODS)]).sees('pods', [pod('a', 'Running'), pod('b', 'Succeeded')]);
    run.sees('pods', [pod('b', 'Succeeded')], [pod('a', 'Running')]).sees('pods', [], [], 'a');
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [pod('b', 'Succeeded'), pod('a', 'Succeeded', { uid: 'new' })]).ending).toBe('reached');
  });

  test('a task that left the selection by an edit of its labels leaves none', () => {
    const running = pod('a', 'Running');
    const run = new Script([selected(PODS)]).sees('pods', [running, pod('b', 'Succeeded')]);
    run.sees('pods', [pod('b', 'Succeeded')], [running]);
    expect(run.ending).toBeUndefined();
    expect(run.wanted('pods')?.spec.mode).toBe('watch');
    expect(run.sees('pods', [running], [], 'a').ending).toBe('reached');
  });

  test('under --on-missing=fail only a real deletion fails', () => {
    const running = pod('a', 'Running');
    const start = (): Script =>
      new Script([selected(PODS, { onMissing: 'fail' })])
        .sees('pods', [running, pod('b', 'Running')])
        .sees('pods', [pod('b', 'Running')], [running]);
    expect(start().sees('pods', [running], [], 'a').at(599).ending).toBeUndefined();
    expect(start().sees('pods', [], [], 'a').at(10).ending).toBe('failed');
  });

  test('while it is looked up whether it was deleted, no policy has a say, even without a grace', () => {
    const running = pod('a', 'Running');
    for (const onMissing of ['fail', 'succeed'] as const) {
      for (const others of [[], [pod('b', 'Succeeded')]]) {
        const run = new Script([selected(PODS, { onMissing, missingGraceMs: 0 })]);
        run.sees('pods', [running, ...others]).sees('pods', others, [running]);
        expect(run.statuses).toEqual(['pending']);
        run.sees('pods', [], [], 'a');
        expect(run.ending).toBe(onMissing === 'fail' ? 'failed' : 'reached');
      }
    }
  });

  test('a task that is done and deleted stays done', () => {
    const run = new Script([selected(PODS)]).sees('pods', [pod('a', 'Running'), pod('b', 'Running')]);
    run.sees('pods', [pod('b', 'Running')], [pod('a', 'Succeeded')]);
    expect(run.sees('pods', [pod('b', 'Succeeded')]).ending).toBe('reached');
  });

  test('the waiter itself never counts', () => {
    const self = { namespace: 'app', name: 'me' };
    const me = pod('me', 'Pending', { policy: 'Always' });
    const run = new Script([selected(PODS)], { self }).sees('pods', [me]);
    expect(run.statuses).toEqual(['pending']);
    expect(run.sees('pods', [me, pod('a', 'Succeeded')]).ending).toBe('reached');
  });

  test('--expect N: not before N are there', () => {
    const run = new Script([selected(PODS, { expect: 2 })]).sees('pods', [pod('a', 'Succeeded')]);
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [pod('a', 'Succeeded'), pod('b', 'Succeeded')]).ending).toBe('reached');
  });

  test('--at-least 1: one is enough, and only all failed fail', () => {
    const some = (): Script => new Script([selected(PODS, { atLeast: 1 })]);
    const two = [pod('a', 'Failed'), pod('b', 'Failed')];
    expect(some().sees('pods', [...two, pod('c', 'Running')]).ending).toBeUndefined();
    expect(some().sees('pods', [...two, pod('c', 'Succeeded')]).ending).toBe('reached');
    expect(some().sees('pods', [...two, pod('c', 'Failed')]).ending).toBe('failed');
  });
});

describe('what is asked for', () => {
  test('by name, and by selector', () => {
    const run = new Script([
      named(JOBS, 'a'),
      selected(PODS, { select: { by: 'selector', fieldSelector: 'spec.x=y' } }),
    ]);
    const common = { namespace: 'app', mode: 'watch', keep: 'verdict' };
    expect(run.wants).toEqual([
      { key: run.wants[0]?.key, need: 'required', spec: { ...common, resource: JOBS, name: 'a' } },
      {
        key: run.wants[1]?.key,
        need: 'required',
        spec: { ...common, resource: PODS, labelSelector: undefined, fieldSelector: 'spec.x=y' },
      },
    ]);
    expect([...run.state.collections.values()]).toMatchObject([{ objects: undefined, trouble: undefined }, {}]);
  });

  test.each(['first', 'second'])('of two who ask, one that needs it decides: the %s', (which) => {
    const needs = named(PODS, 'x');
    const wants = selected(PODS, { ownerJobs: 'where readable' });
    const run = new Script(
      which === 'first' ? [named(JOBS, 'migrate'), wants] : [wants, named(JOBS, 'migrate'), needs],
    );
    run.sees('pods', [pod('m-1', 'Running', { owner: { kind: 'Job', name: 'migrate', uid: 'j' } })]);
    expect(run.wants.filter(({ spec }) => spec.resource.name === 'jobs')).toMatchObject([{ need: 'required' }]);
  });

  test('and is not needed any more is forgotten, and read anew when it is', () => {
    const run = new Script([selected(PODS), named(PODS, 'gate')]);
    const owned = pod('m-1', 'Running', { owner: { kind: 'Job', name: 'migrate', uid: 'j' } });
    run.sees('pods', [owned]).sees('jobs', [job('migrate', undefined, { uid: 'j' })]);
    run.sees('pods', [pod('m-1', 'Running')]);
    expect(run.state.collections.size).toBe(2);
    run.sees('pods', [owned]);
    expect(run.wanted('jobs')).toBeDefined();
    expect([...run.state.collections.values()].at(-1)?.objects).toBeUndefined();
  });

  test('is nothing once the run has ended', () => {
    const run = new Script([named(JOBS, 'a')]).sees('jobs', [job('a', 'Complete')]);
    expect([run.ending, run.wants, run.wakeAt]).toEqual(['reached', [], undefined]);
    const { state } = run;
    run.sees('jobs', [job('a', 'Failed')]).at(600);
    expect(run.state).toBe(state);
    expect([run.wants, run.wakeAt]).toEqual([[], undefined]);
  });

  test('what nobody asked for is passed over', () => {
    const { plan, state } = new Script([named(JOBS, 'a')]);
    const snapshot = { what: 'snapshot', objects: new Map(), departed: [job('a', 'Complete')] } as const;
    const next = step(plan, state, { what: 'emission', key: 'other', emission: snapshot }, 0);
    expect(next.state).toEqual(state);
  });
});

test('the time of day is that of the beginning', () => {
  const { plan } = new Script([named(JOBS, 'a')]);
  expect(begin(plan, 5)).toMatchObject({ startedAt: 5, ending: undefined });
});

test('one look has no later one to wake up for', () => {
  const run = new Script([named(JOBS, 'a'), named(JOBS, 'b')], { timeoutMs: 0 }).sees('jobs', [], [], 'a');
  expect(run.wakeAt).toBeUndefined();
});

describe('Jobs that ended as they went', () => {
  const seen = (run: Script) => [...(run.state.targets[0]?.memory.endedJobs.keys() ?? [])];

  test.each([
    ['Complete', ['uid-a']],
    ['Failed', ['uid-a']],
    ['FailureTarget', ['uid-a']],
    [undefined, []],
  ])('%s: remembered %o', (condition, expected) => {
    const run = new Script([named(JOBS, 'a'), named(JOBS, 'b')]).sees('jobs', [], [job('a', condition)], 'b');
    expect(seen(run)).toEqual(expected);
  });

  test('one after the other', () => {
    const run = new Script([named(PODS, 'x'), named(JOBS, 'b')]).sees('jobs', [], [job('a', 'Complete')]);
    expect(seen(run.sees('jobs', [], [job('b', 'Complete')]))).toEqual(['uid-a', 'uid-b']);
  });

  test('but no other kind', () => {
    const run = new Script([named(JOBS, 'a'), named(PODS, 'b')]).sees('pods', [], [job('b', 'Complete')]);
    expect(seen(run)).toEqual([]);
  });
});

describe('alternatives', () => {
  const one = named(PODS, 'a', { oneOf: 'group' });
  const other = named(PODS, 'b', { oneOf: 'group' });

  test('one of them is enough', () => {
    const run = new Script([one, other]).sees('pods', [pod('a', 'Running')], [], 'a');
    expect(run.sees('pods', [pod('b', 'Succeeded')], [], 'b').ending).toBe('reached');
  });

  test('only all of them fail', () => {
    const run = new Script([one, other]).sees('pods', [pod('a', 'Failed')], [], 'a');
    expect(run.ending).toBeUndefined();
    expect(run.sees('pods', [pod('b', 'Failed')], [], 'b').ending).toBe('failed');
  });

  test('what stands alone is awaited beside them', () => {
    const run = new Script([one, other, named(JOBS, 'j')]);
    const names = () => awaited(run.state.targets).map(({ target }) => target.label);
    expect(names()).toEqual(['pod/a', 'pod/b', 'job/j']);
    run.sees('pods', [pod('a', 'Succeeded')], [], 'a');
    expect([run.ending, names()]).toEqual([undefined, ['job/j']]);
    expect(run.sees('jobs', [job('j', 'Complete')]).ending).toBe('reached');
    expect(names()).toEqual([]);
  });

  test('of another group fail alone', () => {
    const run = new Script([one, named(PODS, 'b', { oneOf: 'another' })]);
    expect(run.sees('pods', [pod('a', 'Failed')], [], 'a').ending).toBe('failed');
  });
});

test.each([
  [1, 2, 1],
  [2, 1, 1],
  [1, undefined, 1],
  [undefined, 1, 1],
  [undefined, undefined, undefined],
])('the earlier of %s and %s is %s', (a, b, expected) => {
  expect(earlier(a, b)).toBe(expected);
});
