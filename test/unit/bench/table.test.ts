import { expect, test } from 'vitest';
import { BARS, isMet } from '../../../bench/figures.ts';
import { flagsOf } from '../../../bench/image.ts';
import { barTable, rowTable, shown } from '../../../bench/table.ts';

test.for([
  [0.0103456, '0.0103'],
  [1.1, '1.1'],
  [13.26, '13.3'],
  [99.96, '100'],
  [17978.4, '17978'],
  [Number.NaN, 'none'],
] as const)('%d is shown as %s', ([value, text]) => {
  expect(shown(value)).toBe(text);
});

test('a bar is met up to its own value, and never by nothing', () => {
  const { most } = BARS.jobKubectl;
  expect(isMet({ bar: 'jobKubectl', value: most })).toBe(true);
  expect(isMet({ bar: 'jobKubectl', value: most + 0.001 })).toBe(false);
  expect(isMet({ bar: 'jobKubectl', value: Number.NaN })).toBe(false);
});

test('the tables', () => {
  expect(
    rowTable([
      { case: 'done Job', program: 'kube-await', values: { wallMs: 61.23, peakMiB: 57.6 }, runs: 20 },
      { case: 'done Job', program: 'kubectl wait', values: { wallMs: 155 }, runs: 20 },
    ]),
  ).toBe(
    [
      '| case     | program      | wall ms | peak MiB | runs |',
      '| -------- | ------------ | ------- | -------- | ---- |',
      '| done Job | kube-await   | 61.2    | 57.6     | 20   |',
      '| done Job | kubectl wait | 155     |          | 20   |',
    ].join('\n'),
  );
  expect(
    barTable([
      { bar: 'event', value: 7.4 },
      { bar: 'pods10000', value: 1.2 },
    ]),
  ).toBe(
    [
      '| figure                                             | bar      | found  |        |',
      '| -------------------------------------------------- | -------- | ------ | ------ |',
      '| deciding event to exit                             | <= 10 ms | 7.4 ms | met    |',
      '| 10,000 done pods: wall against kubectl get -o name | <= 1     | 1.2    | MISSED |',
    ].join('\n'),
  );
});

test.for([
  ['RUN node scripts/build.ts --interpreter "/nodejs/bin/node --some-flag=4"\n', ['--some-flag=4']],
  ['RUN node scripts/build.ts --interpreter /nodejs/bin/node\n', []],
] as const)('the flags in %j are %j', ([dockerfile, flags]) => {
  expect(flagsOf(dockerfile)).toEqual(flags);
});
