import { describe, expect, test } from 'vitest';
import { scan } from '../../../src/cli/argv.ts';
import { parseTargets, type TargetRequest } from '../../../src/cli/targets.ts';
import type { Selection } from '../../../src/wait/plan.ts';
import { outcome, words } from './support.ts';

/** What a line asks for, each target as one line: namespace, resource, preset and selection. */
function targets(argv: readonly string[]): unknown {
  return outcome(() => parseTargets(scan(argv).items).map(line));
}

function line({ kind, builtIn, preset, namespace, select }: TargetRequest): string {
  const group = builtIn?.group ? `.${builtIn.group}` : '';
  const parts = [
    namespace === undefined ? '' : `in ${namespace}:`,
    builtIn === undefined ? `?${kind}` : `${builtIn.name}${group}`,
    preset === undefined ? '' : `as ${preset}`,
    ...selection(select),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function selection(select: Selection): string[] {
  if (select.by === 'name') return [select.name];
  const labels = select.labelSelector === undefined ? [] : [`labels ${select.labelSelector}`];
  const fields = select.fieldSelector === undefined ? [] : [`fields ${select.fieldSelector}`];
  return labels.length + fields.length === 0 ? ['all'] : [...labels, ...fields];
}

describe('targets', () => {
  test.each<[string, string, string[]]>([
    ['one object', 'job/migrate', ['jobs.batch migrate']],
    ['plural', 'jobs/migrate', ['jobs.batch migrate']],
    ['group-qualified', 'job.batch/migrate', ['jobs.batch migrate']],
    ['short', 'po/x', ['pods x']],
    ['short, of a group', 'deploy/web', ['deployments.apps web']],
    ['custom', 'crontab.stable.example.com/x', ['?crontab.stable.example.com x']],
    ['an unknown kind waits for discovery', 'crontab/x', ['?crontab x']],
    ['the named objects of one kind', 'job migrate seed', ['jobs.batch migrate', 'jobs.batch seed']],
    ['the named objects of a custom kind', 'crontab a b', ['?crontab a', '?crontab b']],
    ['a number is a name', 'job 1e3 007', ['jobs.batch 1e3', 'jobs.batch 007']],
    ['a label selector', 'pod -l app=db,tier!=cache', ['pods labels app=db,tier!=cache']],
    ['glued', 'pod -lapp=db', ['pods labels app=db']],
    ['in one argument', 'pod "-l app=db"', ['pods labels app=db']],
    [
      'quoted for the shell',
      'pod -l"release in (a), chart notin (b)"',
      ['pods labels release in (a), chart notin (b)'],
    ],
    ['by its long name', 'pod --selector=app=db', ['pods labels app=db']],
    ['a field selector', 'pod --field-selector status.phase!=Failed', ['pods fields status.phase!=Failed']],
    ['both selectors', 'pod -l a=b --field-selector c=d', ['pods labels a=b fields c=d']],
    ['all', 'pod --all', ['pods all']],
    ['--all=false is no --all', 'pod x --all=false', ['pods x']],
    ['another namespace', 'infra/job/migrate', ['in infra: jobs.batch migrate']],
    ['another namespace, of a selector', 'infra/pod -l app=db', ['in infra: pods labels app=db']],
    ['another namespace, of --all', 'infra/pod --all', ['in infra: pods all']],
    ['another namespace, of fields', 'infra/pod --field-selector a=b', ['in infra: pods fields a=b']],
    ['without a selector WORD/WORD is KIND/NAME', 'job/pod', ['jobs.batch pod']],
    [
      'several forms',
      'job/migrate pod -l app=db service/api',
      ['jobs.batch migrate', 'pods labels app=db', 'services api'],
    ],
    ['names, then KIND/NAME', 'job a b service/api', ['jobs.batch a', 'jobs.batch b', 'services api']],
    ['names, then a kind with a selector', 'job a pod -l app=db', ['jobs.batch a', 'pods labels app=db']],
    ['a name that is a kind, directly behind a kind', 'service svc', ['services svc']],
    ['the same, and further names', 'service svc web', ['services svc', 'services web']],
    ['a later name that is a kind, when nothing follows', 'job a pod', ['jobs.batch a', 'jobs.batch pod']],
    [
      'an unknown word between names is a name',
      'job a crontab b',
      ['jobs.batch a', 'jobs.batch crontab', 'jobs.batch b'],
    ],
    ['an unknown word before -l is a kind', 'job a crontab -l x', ['jobs.batch a', '?crontab labels x']],
    ['two kinds with a selector each', 'pod -l a job -l b', ['pods labels a', 'jobs.batch labels b']],
    ['several kinds with one selector', 'pod,job -l x', ['pods labels x', 'jobs.batch labels x']],
    [
      'several kinds in another namespace',
      'infra/pod,job -l x',
      ['in infra: pods labels x', 'in infra: jobs.batch labels x'],
    ],
    [
      'several kinds and several names, as in kubectl',
      'pod,job a b',
      ['pods a', 'pods b', 'jobs.batch a', 'jobs.batch b'],
    ],
    ['a selector before the only kind', '-l app=x pod', ['pods labels app=x']],
    ['a selector before and another behind', '-l a=b pod --field-selector c=d', ['pods labels a=b fields c=d']],
    ['--all before the only kind', '--all pod', ['pods all']],
    ['other options between', 'job -n infra migrate -q seed', ['jobs.batch migrate', 'jobs.batch seed']],
    ['other options before a selector', 'pod -n infra -l app=db', ['pods labels app=db']],
    [
      'a name with a colon, as RBAC has them',
      'clusterrole/system:node',
      ['clusterroles.rbac.authorization.k8s.io system:node'],
    ],
    ['an address as a name', 'ipaddress/2001:db8::1', ['ipaddresses.networking.k8s.io 2001:db8::1']],
    ['a job that ended either way', 'job-we/a', ['jobs.batch as job-we a']],
    ['the same with words', 'job-we a b', ['jobs.batch as job-we a', 'jobs.batch as job-we b']],
    ['pods that ended either way', 'pod-we -lapp=x', ['pods as pod-we labels app=x']],
    ['one ready pod of some', 'pod-wr -l app=x', ['pods as pod-wr labels app=x']],
    ['one ready pod', 'infra/pod-wr/x', ['in infra: pods as pod-wr x']],
    ['one ready pod of several names', 'pod-wr a b', ['pods as pod-wr a', 'pods as pod-wr b']],
    ['a job with a succeeded pod', 'job-wr/x', ['jobs.batch as job-wr x']],
    ['no target', '-q', []],
  ])('%s: %s', (_, line, expected) => {
    expect(targets(words(line))).toEqual(expected);
  });
});

describe('what could be read in two ways, or in none, is refused', () => {
  test.each([
    [
      'what only a call as wait_for.sh means',
      '"wait_for.sh pod" x',
      'expected a kind such as job, pod or deployment, got "wait_for.sh pod"',
    ],
    ['a kind between names', 'job a pod b', 'expected "pod/b" or "job/pod", got "pod b" behind another target'],
    [
      'a kind between a name and KIND/NAME',
      'job a pod svc/b',
      'expected "job/pod", got "pod svc/b" behind another target',
    ],
    ['a kind and a name behind KIND/NAME', 'job/a pod b', 'expected "pod/b", got "pod b" behind another target'],
    ['a kind and a name behind a selector', 'pod -l x job a', 'expected "job/a", got "job a" behind another target'],
    [
      'a kind before KIND/NAME behind KIND/NAME',
      'job/a pod svc/b',
      'expected KIND/NAME, KIND NAME... or KIND -l SELECTOR, got "pod svc/b" behind another target',
    ],
    ['a bare word behind KIND/NAME', 'job/a b', 'expected KIND/NAME or KIND -l SELECTOR behind "job/a", got "b"'],
    ['a kind alone behind KIND/NAME', 'job/a pod', 'expected KIND/NAME or KIND -l SELECTOR behind "job/a", got "pod"'],
    [
      'a bare word behind a selector',
      'pod -l a=b x',
      'expected KIND/NAME or KIND -l SELECTOR behind "pod -l a=b", got "x"',
    ],
    ['a bare word behind --all', 'pod --all x', 'expected KIND/NAME or KIND -l SELECTOR behind "pod --all", got "x"'],
    ['a namespace before KIND NAME', 'infra/job migrate', 'expected "infra/job/migrate", got "infra/job migrate"'],
    ['a kind alone', 'job', 'expected job/NAME, job NAME... or job -l SELECTOR, got "job" alone'],
    [
      'a kind alone before KIND/NAME',
      'pod job/a',
      'expected pod/NAME, pod NAME... or pod -l SELECTOR, got "pod" alone',
    ],
    ['kinds alone', 'pod,job', 'expected pod,job/NAME, pod,job NAME... or pod,job -l SELECTOR, got "pod,job" alone'],
    ['a name with a selector', 'pod x -l a=b', '-l: expected a kind without a name, got "pod/x"'],
    [
      'a name with fields',
      'pod x --field-selector a=b',
      '--field-selector: expected a kind without a name, got "pod/x"',
    ],
    ['a name with --all', 'pod x --all', '--all: expected a kind without a name, got "pod/x"'],
    ['three parts with a selector', 'infra/pod/x -l a=b', '-l: expected a kind without a name, got "infra/pod/x"'],
    ['a name with a selector before it', '-l a=b pod x', '-l: expected a kind without a name, got "pod x"'],
    ['KIND/NAME with a selector before it', '-l a=b infra/pod', '-l: expected a kind without a name, got "infra/pod"'],
    [
      'a selector before several kinds',
      '-l a=b pod,job',
      '-l: expected it behind the kind that it belongs to, got it before "pod,job"',
    ],
    [
      'a selector before several targets',
      '-l a=b pod job/x',
      '-l: expected it behind the kind that it belongs to, got it before "pod job/x"',
    ],
    ['a selector without a kind', '-l a=b', '-l: expected a kind before it, got none'],
    [
      'a field selector without a kind',
      '--field-selector a=b',
      '--field-selector: expected a kind before it, got none',
    ],
    ['--all without a kind', '--all', '--all: expected a kind before it, got none'],
    ['two label selectors', 'pod -l a=b -l c=d', '-l: expected it once for pod, got "-l a=b -l c=d"'],
    [
      'one before and one behind',
      '-l a=b pod --selector c=d',
      '--selector: expected it once for pod, got "-l a=b --selector c=d"',
    ],
    [
      'two field selectors',
      'pod --field-selector a=b --field-selector c=d',
      '--field-selector: expected it once for pod, got "--field-selector a=b --field-selector c=d"',
    ],
    ['--all twice', 'pod --all --all', '--all: expected it once for pod, got "--all --all"'],
    ['--all with a selector', 'pod -l a=b --all', 'pod: expected --all or a selector, got both: "--all -l a=b"'],
    ['--all that is neither', 'pod --all=maybe', '--all: expected true or false, got "maybe"'],
    ['an empty selector', 'pod -l=', '-l: expected a label selector such as app=db, got ""'],
    ['a bad selector', 'pod -l a=b=c', '-l: expected "," or the end, got "=" at character 4 of "a=b=c"'],
    [
      'a bad field selector',
      'pod --field-selector a',
      '--field-selector: expected FIELD=VALUE or FIELD!=VALUE, got "a"',
    ],
    ['four parts', 'a/b/c/d', 'expected KIND/NAME or NAMESPACE/KIND/NAME, got "a/b/c/d"'],
    ['an empty name', 'job/', 'expected KIND/NAME or NAMESPACE/KIND/NAME, got "job/"'],
    ['an empty kind', '/x', 'expected KIND/NAME or NAMESPACE/KIND/NAME, got "/x"'],
    ['several kinds before a slash', 'pod,job/x', 'expected one kind before "/", got "pod,job/x"'],
    ['a kind of other signs', 'jo_b/x', 'expected a kind such as job, pod or deployment, got "jo_b"'],
    ['an empty kind among several', 'pod,/x', 'expected a kind such as job, pod or deployment, got ""'],
    [
      'a namespace of other signs',
      'Infra/job/x',
      '"Infra/job/x": expected a namespace (lower-case letters, digits and "-"), got "Infra"',
    ],
    ['a name that no object has', 'crontab/..', 'crontab: expected a name, got ".."'],
    ['a name with a percent sign', 'crontab/a%b', 'crontab: expected a name, got "a%b"'],
    ['several names in one word', 'job a,b', 'job: expected a name, got "a,b"'],
    [
      'a name that no Job has',
      'job/Migrate',
      'job: expected a name of a job (lower-case letters, digits, "-" and "."), got "Migrate"',
    ],
  ])('%s: %s', (_, line, refused) => {
    expect(targets(words(line))).toEqual({ refused });
  });

  test('an empty word', () => {
    expect(targets([''])).toEqual({ refused: 'expected a kind such as job, pod or deployment, got ""' });
  });

  test('a name longer than any', () => {
    expect(targets([`crontab/${'a'.repeat(254)}`])).toEqual({
      refused: `crontab: expected a name, got "${'a'.repeat(120)}..."`,
    });
  });
});
