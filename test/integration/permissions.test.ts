/** What is asked of the API server, what happens where it refuses, and that no more is needed than is said. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe } from 'vitest';
import {
  api,
  auditOf,
  cluster,
  endPod,
  hasCondition,
  type Identity,
  type Json,
  job,
  type PolicyRule,
  pod,
  test,
  tokenKubeconfig,
} from '../harness/index.ts';

const x = { app: 'x' };

/** The requests of a user in short: `list jobs`. */
const asked = ({ user }: Identity): string[] => auditOf(user).map(({ verb, resource }) => `${verb} ${resource}`);

/** A Role with these rules, bound to a user. */
async function grant(namespace: string, user: string, rules: readonly PolicyRule[]): Promise<void> {
  const name = `granted-${randomBytes(4).toString('hex')}`;
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await api.create({ apiVersion, kind: 'Role', metadata: { name, namespace }, rules } as Json as never);
  await api.create({
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  } as Json as never);
}

const jobRule = (verbs: readonly string[], ...resourceNames: string[]): PolicyRule => ({
  apiGroups: ['batch'],
  resources: ['jobs'],
  verbs,
  ...(resourceNames.length > 0 && { resourceNames }),
});
const podRule = (verbs: readonly string[]): PolicyRule => ({ apiGroups: [''], resources: ['pods'], verbs });
const watching = ['list', 'watch'];

describe.concurrent('requests', () => {
  test('one Job by name: one LIST and one WATCH, both of that name only', async ({
    ns,
    kubeAwait,
    identity,
    exitCodes,
    expect,
  }) => {
    const who = await identity();
    const run = kubeAwait(['job/x'], { as: who });
    await run.line(/^job\/x: does not exist yet$/);
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
    exitCodes(target, [0]);
    const { code } = await run.exit;
    const requests = auditOf(who.user);
    expect(code).toBe(0);
    expect(requests.map(({ verb, path, query }) => [verb, path, query.fieldSelector])).toEqual([
      ['list', `/apis/batch/v1/namespaces/${ns}/jobs`, 'metadata.name=x'],
      ['watch', `/apis/batch/v1/namespaces/${ns}/jobs`, 'metadata.name=x'],
    ]);
    const [, watch] = requests;
    expect(Number(watch?.query.resourceVersion)).toBeGreaterThan(0);
    expect(watch?.query.allowWatchBookmarks).toBe('true');
    expect(Number(watch?.query.timeoutSeconds)).toBeGreaterThanOrEqual(240);
    expect(Number(watch?.query.timeoutSeconds)).toBeLessThanOrEqual(300);
  });

  test('a selector: one LIST, paged, and one WATCH', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity();
    const run = kubeAwait(['pod', '-l', 'app=x'], { as: who });
    await run.line(/^pod -l app=x: does not exist yet$/);
    await api.create(pod({ namespace: ns, name: 'x', labels: x, exitCode: 0 }));
    await run.exit;
    const requests = auditOf(who.user).map(({ verb, resource, query }) => [verb, resource, query.labelSelector]);
    expect(requests).toEqual([
      ['list', 'pods', 'app=x'],
      ['watch', 'pods', 'app=x'],
    ]);
    expect(auditOf(who.user)[0]?.query.limit).toBe('500');
  });

  test('pods of one Job: that Job is asked for by name', async ({ ns, kubeAwait, identity, exitCodes, expect }) => {
    const who = await identity();
    const owner = job({ namespace: ns, name: 'owner', labels: x, exitCode: 'ask' });
    await api.create(owner);
    const run = kubeAwait(['pod', '-l', 'app=x'], { as: who });
    await run.line(/^pod -l app=x: 0\/1 done, job\/owner 0\/1 succeeded, 1 active$/);
    exitCodes(owner, [0]);
    const { code } = await run.exit;
    expect(code).toBe(0);
    const jobs = auditOf(who.user).filter(({ resource }) => resource === 'jobs');
    expect(jobs.map(({ verb, query }) => [verb, query.fieldSelector])).toEqual([
      ['list', 'metadata.name=owner'],
      ['watch', 'metadata.name=owner'],
    ]);
  });

  test('two targets on the same object: asked for once', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity();
    await api.create(job({ namespace: ns, name: 'owner', labels: x }));
    const { code } = await kubeAwait(['job/owner', 'pod', '-l', 'app=x'], { as: who }).exit;
    expect(code).toBe(0);
    expect(asked(who).filter((request) => request === 'list jobs')).toHaveLength(1);
  });

  test('--timeout=0: one LIST, no WATCH is left behind', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity();
    await api.create(job({ namespace: ns, name: 'x', spec: { suspend: true } }));
    const { code } = await kubeAwait(['job/x', '--timeout=0'], { as: who }).exit;
    expect(code).toBe(124);
    expect(asked(who)).toEqual(['list jobs']);
  });

  test('name the program and its version', async ({ kubeAwait, identity, expect }) => {
    const who = await identity();
    await kubeAwait(['job/x', '--timeout=0'], { as: who }).exit;
    expect(auditOf(who.user)[0]?.userAgent).toMatch(/^kube-await\/\d+\.\d+\.\d+ /);
  });
});

describe.concurrent('a user without rights', () => {
  test('ends with 3 when it has lasted five seconds; the rule that it prints is all that was lacking', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    const who = await identity({ rules: [] });
    await api.create(job({ namespace: ns, name: 'x' }));
    const refused = await kubeAwait(['job/x'], { as: who }).exit;
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 3, stdout: '' });
    expect(refused.durationMs).toBeGreaterThan(5_000);
    const [, said = '', rule = ''] = /^(refused: .*)\n(?:to grant it, .*)\n([\s\S]*)$/m.exec(refused.stderr) ?? [];
    expect(said).toContain(`"${who.user}" cannot list jobs.batch "x" in namespace "${ns}": 403 Forbidden`);
    expect(refused.stderr).toContain(
      `to grant it, add this rule to a Role in namespace "${ns}" bound to "${who.user}":\n`,
    );
    const rules = load(rule) as PolicyRule[];
    expect(rules).toEqual([jobRule(watching, 'x')]);
    await grant(ns, who.user, rules);
    const granted = await kubeAwait(['job/x'], { as: who }).exit;
    expect(granted.code).toBe(0);
    // Whatever was refused in the second run would have been told.
    expect(granted.stderr).not.toContain('cannot');
  });

  test('goes on when the right is given while it waits', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [] });
    await api.create(job({ namespace: ns, name: 'x' }));
    const run = kubeAwait(['job/x', '--on-refused=wait'], { as: who });
    await run.line(/^job\/x: 403 Forbidden: .*; retrying$/);
    await grant(ns, who.user, [jobRule(watching, 'x')]);
    const { code } = await run.exit;
    expect(code).toBe(0);
    expect(run.lines.filter(({ text }) => text.includes('403'))).toHaveLength(1);
    expect(run.lines.map(({ text }) => text)).toContain('job/x: the API server answers again');
  });

  test('is awaited until the timeout under --on-refused=wait, which says why', async ({
    kubeAwait,
    identity,
    expect,
  }) => {
    const who = await identity({ rules: [] });
    // Longer than the five seconds after which it would be refused.
    const { code, stdout } = await kubeAwait(['job/x', '--on-refused=wait', '--timeout=7s'], { as: who }).exit;
    expect(code).toBe(124);
    expect(stdout).toMatch(/^job\/x not reached after 7s: the API server never answered: 403 Forbidden: .+\n$/);
  });

  test('ends with 3 at once under --timeout=0', async ({ kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [] });
    const { code, stderr } = await kubeAwait(['job/x', '--timeout=0'], { as: who }).exit;
    expect(code).toBe(3);
    expect(stderr).toContain('cannot list jobs.batch "x"');
  });

  test('a ServiceAccount is named as RBAC knows it', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [], by: 'token' });
    const { code, stderr } = await kubeAwait(['pod', '-l', 'app=x', '--timeout=0'], { as: who }).exit;
    expect(code).toBe(3);
    expect(who.user).toMatch(new RegExp(`^system:serviceaccount:${ns}:`));
    expect(stderr).toContain(`refused: "${who.user}" cannot list pods in namespace "${ns}": 403 Forbidden`);
  });

  test('--as is who is refused', async ({ kubeAwait, expect }) => {
    const args = ['job/x', '--timeout=0', '--as=somebody', '--as-group=guests'];
    const { code, stderr } = await kubeAwait(args).exit;
    expect(code).toBe(3);
    expect(stderr).toContain('refused: "somebody" cannot list jobs.batch "x"');
  });

  test('-A needs a ClusterRole', async ({ bare, identity, expect }) => {
    const who = await identity({ rules: [] });
    const { code, stderr } = await bare(['pod', '-l', 'app=x', '-A', '--timeout=0'], { as: who }).exit;
    expect(code).toBe(3);
    expect(stderr).toContain('cannot list pods in all namespaces');
    expect(stderr).toContain('add these rules to a ClusterRole bound to ');
  });

  test('that may read pods, and not the Job that they belong to', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [podRule(watching)] });
    await api.create(job({ namespace: ns, name: 'owner', labels: x }));
    const { code, stderr } = await kubeAwait(['pod', '-l', 'app=x'], { as: who }).exit;
    expect(code).toBe(3);
    expect(stderr).toContain(`"${who.user}" cannot list jobs.batch "owner" in namespace "${ns}"`);
    // Without a name: the selector may find pods of other Jobs as well.
    expect(stderr).toContain('    resources: ["jobs"]\n    verbs: ["list", "watch"]\n');
  });

  test('one target that is refused ends the run, while others are answered', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    const who = await identity({ rules: [podRule(watching)] });
    await api.create(pod({ namespace: ns, name: 'x', exitCode: 'ask' }));
    const { code, stderr } = await kubeAwait(['pod/x', 'job/x'], { as: who }).exit;
    expect(code).toBe(3);
    expect(stderr).toContain('cannot list jobs.batch "x"');
  });

  test('a target that fails comes before a refusal', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [podRule(watching)] });
    await api.create(pod({ namespace: ns, name: 'x', exitCode: 1 }));
    const { code } = await kubeAwait(['pod/x', 'job/x'], { as: who }).exit;
    expect(code).toBe(1);
  });
});

describe.concurrent('as few rights as older charts give', () => {
  test('list and watch on the one name are enough', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [jobRule(watching, 'x')] });
    await api.create(job({ namespace: ns, name: 'x' }));
    const { code, stderr } = await kubeAwait(['job/x'], { as: who }).exit;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/cannot|403 Forbidden/);
  });

  test('get and list: it reads again and again, and says so once', async ({
    ns,
    kubeAwait,
    identity,
    exitCodes,
    expect,
  }) => {
    const who = await identity({ rules: [jobRule(['get', 'list'])] });
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const run = kubeAwait(['job/x'], { as: who });
    const lists = (): number => asked(who).filter((request) => request === 'list jobs').length;
    await expect.poll(lists, { timeout: 60_000 }).toBeGreaterThan(2);
    exitCodes(target, [0]);
    const { code, stderr } = await run.exit;
    expect(code).toBe(0);
    expect(
      stderr.match(/^cannot watch jobs\.batch "x" in .* \(forbidden\); polling every 2 to 10 s instead$/gm),
    ).toHaveLength(1);
    // Tried again once a minute only.
    expect(asked(who).filter((request) => request === 'watch jobs')).toHaveLength(1);
    expect(asked(who).filter((request) => request === 'get jobs')).toEqual([]);
  });

  test('get and list on pods: what a selector finds is read again and again too', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    const who = await identity({ rules: [podRule(['get', 'list'])] });
    const task = pod({ namespace: ns, name: 'x', labels: x, exitCode: 'ask' });
    await api.create(task);
    const run = kubeAwait(['pod', '-l', 'app=x'], { as: who });
    await run.line(/^cannot watch pods in namespace \S+ \(forbidden\); polling every 2 to 10 s instead$/);
    await endPod(task, 0);
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('get on the one name: it reads that, also before it exists', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [jobRule(['get'], 'x')] });
    const run = kubeAwait(['job/x'], { as: who });
    await run.line(/^cannot list jobs\.batch "x" in namespace "\S+" \(forbidden\); reading it by name instead$/);
    await run.line(/^job\/x: does not exist yet$/);
    const target = job({ namespace: ns, name: 'x' });
    await api.create(target);
    const { code, stdout } = await run.exit;
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'job/x reached: Complete, 1/1 succeeded\n' });
    expect(hasCondition(await api.get(target), 'Complete')).toBe(true);
    expect(run.lines.filter(({ text }) => text.includes('cannot list'))).toHaveLength(1);
  });

  test('get and watch on the one name: it watches from what it read', async ({
    ns,
    kubeAwait,
    identity,
    exitCodes,
    expect,
  }) => {
    const who = await identity({ rules: [jobRule(['get', 'watch'], 'x')] });
    const target = job({ namespace: ns, name: 'x', exitCode: 'ask' });
    await api.create(target);
    const run = kubeAwait(['job/x'], { as: who });
    await run.line(/^cannot list jobs\.batch "x" in namespace "\S+" \(forbidden\); reading it by name instead$/);
    await run.line(/^job\/x: 0\/1 succeeded, 1 active$/);
    exitCodes(target, [0]);
    const { code, stderr } = await run.exit;
    expect(code).toBe(0);
    expect(stderr).not.toContain('cannot watch');
    expect(asked(who)).toEqual(['list jobs', 'get jobs', 'watch jobs']);
  });
});

describe.concurrent('credentials', () => {
  /** A kubeconfig whose token is in a file of its own, as a pod's is. */
  function withTokenFile(name: string, token: string): { kubeconfig: string; replace: (next: string) => void } {
    const kubeconfig = join(cluster().coordinates.dir, `kubeconfig-${name}`);
    const tokenFile = join(cluster().coordinates.dir, `token-${name}`);
    const replace = (next: string): void => writeFileSync(tokenFile, next, { mode: 0o600 });
    replace(token);
    const config = JSON.parse(tokenKubeconfig('')) as Json;
    writeFileSync(kubeconfig, JSON.stringify({ ...config, users: [{ name: 'test', user: { tokenFile } }] }));
    return { kubeconfig, replace };
  }

  test('that are not accepted end with 3', async ({ kubeAwait, expect }) => {
    const kubeconfig = join(cluster().coordinates.dir, 'kubeconfig-nobody');
    writeFileSync(kubeconfig, tokenKubeconfig('of-nobody'));
    const { code, stdout, stderr } = await kubeAwait(['job/x', '--timeout=0'], { kubeconfig }).exit;
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(
      `refused: ${cluster().server}/ does not accept the credentials, asked to list jobs.batch "x"`,
    );
    expect(stderr).toContain('401 Unauthorized');
    expect(stderr).not.toContain('of-nobody');
  });

  test('are read again: a token that is replaced while we wait is used', async ({
    ns,
    kubeAwait,
    identity,
    expect,
  }) => {
    const who = await identity({ rules: [jobRule(watching, 'x')], by: 'token' });
    const account = who.user.split(':').at(-1) ?? '';
    const { kubeconfig, replace } = withTokenFile(account, 'out-of-date');
    await api.create(job({ namespace: ns, name: 'x' }));
    const run = kubeAwait(['job/x', '--on-refused=wait'], { kubeconfig });
    await run.line(/^job\/x: 401 Unauthorized: /);
    replace(await cluster().token(ns, account));
    const { code } = await run.exit;
    expect(code).toBe(0);
  });

  test('--token and KUBE_AWAIT_TOKEN replace those of the kubeconfig', async ({ ns, kubeAwait, identity, expect }) => {
    const who = await identity({ rules: [jobRule(watching, 'x')], by: 'token' });
    const token = await cluster().token(ns, who.user.split(':').at(-1) ?? '');
    await api.create(job({ namespace: ns, name: 'x' }));
    const kubeconfig = join(cluster().coordinates.dir, `kubeconfig-${ns}`);
    writeFileSync(kubeconfig, tokenKubeconfig('of-nobody'));
    const asOption = await kubeAwait(['job/x', '--token', token], { kubeconfig }).exit;
    const asVariable = await kubeAwait(['job/x'], { kubeconfig, env: { KUBE_AWAIT_TOKEN: token } }).exit;
    expect([asOption.code, asVariable.code]).toEqual([0, 0]);
  });

  test('a certificate that cannot be trusted ends with 3, and names the server', async ({ kubeAwait, expect }) => {
    const kubeconfig = join(cluster().coordinates.dir, 'kubeconfig-other-ca');
    const config = JSON.parse(tokenKubeconfig('any')) as Json;
    config.clusters[0].cluster = { server: cluster().server };
    writeFileSync(kubeconfig, JSON.stringify(config));
    const refused = await kubeAwait(['job/x', '--timeout=0'], { kubeconfig }).exit;
    const unchecked = await kubeAwait(['job/x', '--timeout=0', '--insecure-skip-tls-verify'], { kubeconfig }).exit;
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`refused: the certificate of ${cluster().server}/ cannot be trusted: `);
    // It gets as far as to be told that the token is nobody's.
    expect(unchecked.stderr).toContain('401 Unauthorized');
  });
});
