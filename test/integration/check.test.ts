/** `check`: what it finds out, and how it says so. And refusals that come and go while we wait. */

import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe } from 'vitest';
import { api, cluster, endPod, type Json, job, type PolicyRule, test, tokenKubeconfig } from '../harness/index.ts';
import { makeCertificates } from '../unit/kube/certificates.ts';

const rule = (group: string, resource: string, verbs: readonly string[], ...resourceNames: string[]): PolicyRule => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
  ...(resourceNames.length > 0 && { resourceNames }),
});

let counter = 0;

/** The path of a new file with this content. */
function file(content: string): string {
  counter += 1;
  const path = join(cluster().coordinates.dir, `check-${process.pid}-${counter}`);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** A kubeconfig for a server without TLS, or another cluster entry. */
function kubeconfigFor(entry: Json, user: Json = { token: 'any' }): string {
  const config = JSON.parse(tokenKubeconfig('')) as Json;
  config.clusters[0].cluster = entry;
  config.users[0].user = user;
  return file(JSON.stringify(config));
}

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** The address of a new server on loopback. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Hands a request to the API server, as its administrator. */
const pass: RequestListener = (incoming, outgoing) => {
  const { server, ca, cert, key } = cluster().coordinates.admin;
  const { method, url } = incoming;
  const { host: _, ...headers } = incoming.headers;
  const forwarded = request(new URL(url ?? '/', server), { method, ca, cert, key, headers });
  forwarded.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on('error', () => outgoing.destroy());
  outgoing.on('close', () => forwarded.destroy());
  incoming.pipe(forwarded);
};

const forbid: RequestListener = (_incoming, outgoing) => {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Forbidden', code: 403, message: 'no' };
  outgoing.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(status));
};

describe.concurrent('check', () => {
  test('says where, who and what', async ({ kubeAwait, ns, expect }) => {
    const { code, stdout, stderr } = await kubeAwait(['check', 'job/x', 'node/n']).exit;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^server {4}https:\/\/127\.0\.0\.1:\d+\/ \(kubeconfig\), v1\.\d+\.\d+/);
    expect(lines[1]).toMatch(/^identity {2}\S+$/);
    expect(lines[2]).toBe('');
    const cells = lines.slice(3).map((line) => line.split(/ {3,}/));
    expect(cells).toEqual([
      ['VERB', 'RESOURCE', 'NAMESPACE', 'ALLOWED', 'NEED', 'FOR'],
      ['list', 'jobs.batch/x', ns, 'yes', 'required', 'job/x'],
      ['watch', 'jobs.batch/x', ns, 'yes', 'required', 'job/x'],
      ['list', 'pods', ns, 'yes', 'optional', 'job/x: why it failed'],
      ['watch', 'pods', ns, 'yes', 'optional', 'job/x: why it failed'],
      ['get', 'pods/log', ns, 'yes', 'optional', 'job/x: why it failed'],
      ['list', 'events', ns, 'yes', 'optional', 'job/x: why it failed'],
      ['list', 'nodes/n', '(cluster)', 'yes', 'required', 'node/n'],
      ['watch', 'nodes/n', '(cluster)', 'yes', 'required', 'node/n'],
    ]);
    // Aligned: every cell of a column begins in the same place.
    expect(new Set(lines.slice(3).map((line) => line.search(/required|optional|NEED/))).size).toBe(1);
  });

  test('the same as JSON', async ({ kubeAwait, identity, ns, expect }) => {
    const who = await identity({ rules: [rule('batch', 'jobs', ['list'], 'x')], by: 'token' });
    const { code, stdout, stderr } = await kubeAwait(['check', 'job/x', '--logs=0', '-o', 'json'], { as: who }).exit;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const need = { apiGroup: 'batch', resource: 'jobs', resourceName: 'x', namespace: ns, need: 'required' };
    const found = JSON.parse(stdout);
    expect(found).toEqual({
      server: `${cluster().server}/`,
      version: expect.stringMatching(/^v1\./),
      identity: who.user,
      allowed: true,
      needs: [
        { ...need, verb: 'list', allowed: true, reason: expect.any(String), reasons: ['job/x'] },
        { ...need, verb: 'watch', allowed: false, reasons: ['job/x'] },
      ],
      remarks: [`jobs.batch/x in namespace ${ns}: without watch it is polled every 2 to 10 s`],
      lacking: [],
    });
  });

  test('what is lacking ends with 3, and comes with the rules that grant it', async ({
    kubeAwait,
    identity,
    ns,
    expect,
  }) => {
    const who = await identity({ rules: [rule('batch', 'jobs', ['get'], 'x')] });
    const args = ['check', 'job/x', 'service/s', 'node/n'];
    const text = await kubeAwait(args, { as: who }).exit;
    const json = await kubeAwait([...args, '-o', 'json'], { as: who }).exit;
    expect([text.code, json.code]).toEqual([3, 3]);
    const watching = ['list', 'watch'];
    const [said = '', role = '', rules = '', clusterRole = '', clusterRules = ''] =
      /^(lacking: .*)\n(to grant .* a Role .*:)\n([\s\S]*)^(to grant .* a ClusterRole .*:)\n([\s\S]*)$/m
        .exec(text.stdout)
        ?.slice(1) ?? [];
    expect(said).toBe(`lacking: pods in namespace ${ns}, services/s in namespace ${ns}, nodes/n`);
    expect(role).toBe(`to grant it, add these rules to a Role in namespace "${ns}" bound to "${who.user}":`);
    expect(load(rules)).toEqual([rule('', 'pods', watching), rule('', 'services', watching, 's')]);
    expect(clusterRole).toContain(`bound to "${who.user}" by a ClusterRoleBinding`);
    expect(load(clusterRules)).toEqual([rule('', 'nodes', watching, 'n')]);
    const found = JSON.parse(json.stdout);
    expect(found.allowed).toBe(false);
    expect(found.lacking).toEqual([
      { namespace: ns, rule: rule('', 'pods', watching) },
      { namespace: ns, rule: rule('', 'services', watching, 's') },
      { rule: rule('', 'nodes', watching, 'n') },
    ]);
    expect(found.remarks).toEqual([
      `jobs.batch/x in namespace ${ns}: without list it is read by get`,
      `jobs.batch/x in namespace ${ns}: without watch it is polled every 2 to 10 s`,
      `pods/log in namespace ${ns}: optional, not granted`,
      `events in namespace ${ns}: optional, not granted`,
      `endpointslices.discovery.k8s.io in namespace ${ns}: optional, not granted`,
    ]);
    expect(text.stdout.split('\n').filter((line) => line.startsWith('remark: '))).toEqual(
      found.remarks.map((remark: string) => `remark: ${remark}`),
    );
  });

  test('without a configuration it ends with 2', async ({ bare, expect }) => {
    const env = { HOME: '/nonexistent' };
    const { code, stdout, stderr } = await bare(['check', 'job/x'], { kubeconfig: 'none', env }).exit;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^kube-await: no cluster is configured: .*\n$/);
  });

  test('without an answer in time it ends with 124, and says what was wrong', async ({ bare, expect }) => {
    const kubeconfig = kubeconfigFor({ server: 'https://127.0.0.1:1' });
    const { code, stdout, stderr } = await bare(['check', 'job/x', '--timeout=1s'], { kubeconfig }).exit;
    expect({ code, stdout }).toEqual({ code: 124, stdout: '' });
    expect(stderr).toBe('no answer from https://127.0.0.1:1/: connect ECONNREFUSED 127.0.0.1:1\n');
    const asJson = await bare(['check', 'job/x', '--timeout=0', '-o', 'json'], { kubeconfig }).exit;
    expect({ code: asJson.code, found: JSON.parse(asJson.stdout) }).toEqual({
      code: 124,
      found: { server: 'https://127.0.0.1:1/', allowed: false, problem: stderr.trim() },
    });
  });

  test.for([['job/x'], ['things.example.com/x']])(
    'a server that is silent: %s',
    async ([target = ''], { bare, expect }) => {
      const kubeconfig = kubeconfigFor({ server: await serve(() => {}) });
      const { code, stderr } = await bare(['check', target, '--timeout=1s'], { kubeconfig }).exit;
      expect(code).toBe(124);
      expect(stderr).toMatch(/^no answer from http:\/\/127\.0\.0\.1:\d+\/: nothing came within 1s\n$/);
    },
  );

  test('a server that is not up yet is asked again', async ({ bare, expect }) => {
    let asked = 0;
    const server = await serve((incoming, outgoing) => {
      asked += 1;
      if (asked <= 3) outgoing.writeHead(503).end();
      else pass(incoming, outgoing);
    });
    const { code } = await bare(['check', 'job/x', '--timeout=5m'], { kubeconfig: kubeconfigFor({ server }) }).exit;
    expect(code).toBe(0);
    expect(asked).toBeGreaterThan(3);
  });

  test('a kind that is not served', async ({ kubeAwait, ns, expect }) => {
    const unknown = await kubeAwait(['check', 'nonesuch/x']).exit;
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    const later = await kubeAwait(['check', 'things.example.com/x']).exit;
    expect(later.code).toBe(0);
    expect(later.stdout).toContain(`list    things.example.com/x   ${ns}`);
    const remark = /^remark: the API server does not serve things\.example\.com yet; .* only if things is the plural$/m;
    expect(later.stdout).toMatch(remark);
  });
});

describe.concurrent('rbac for a kind that is not built in', () => {
  test('is printed with a remark where it is not served yet', async ({ kubeAwait, expect }) => {
    const { code, stdout, stderr } = await kubeAwait(['rbac', 'things.example.com/x']).exit;
    expect(code).toBe(0);
    expect(stdout).toContain('  # the API server does not serve things.example.com yet; ');
    expect(stdout).toContain('  - apiGroups: ["example.com"]\n    resources: ["things"]\n');
    expect(stderr).toMatch(/^kube-await: the API server does not serve things\.example\.com yet; .*\n$/);
  });

  test.for([
    ['unknown', 2, 'nonesuch/x'],
    ['unreachable', 124, 'things.example.com/x'],
    ['refused', 3, 'things.example.com/x'],
  ] as const)('prints nothing where it is %s', async ([why, code, target], { bare, expect }) => {
    const kubeconfig =
      why === 'unknown'
        ? cluster().kubeconfig
        : kubeconfigFor({ server: why === 'refused' ? await serve(forbid) : 'http://127.0.0.1:1' });
    const ended = await bare(['rbac', target], { kubeconfig }).exit;
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '' });
    expect(ended.stderr).toMatch(/^kube-await: .*\n$/);
  });
});

describe.concurrent('who cannot be trusted', () => {
  for (const mode of [[], ['check']]) {
    const named = [...mode, 'job/x', '--timeout=0'];
    const name = mode[0] ?? 'a wait';

    test(`${name}: a certificate of another authority, by the file that it was checked against`, async ({
      bare,
      expect,
    }) => {
      const caFile = file(makeCertificates().ca);
      const kubeconfig = kubeconfigFor({ server: cluster().server, 'certificate-authority': caFile });
      const { code, stderr } = await bare(named, { kubeconfig }).exit;
      expect(code).toBe(3);
      expect(stderr).toMatch(/^refused: the certificate of https:\/\/127\.0\.0\.1:\d+\/ cannot be trusted: /);
      expect(stderr.trimEnd().endsWith(`, checked against ${caFile}`)).toBe(true);
    });

    test(`${name}: a token that is nobody's, by where it came from`, async ({ bare, expect }) => {
      const kubeconfig = file(tokenKubeconfig('of-nobody'));
      const ofFile = await bare(named, { kubeconfig }).exit;
      expect(ofFile.code).toBe(3);
      expect(ofFile.stderr).toMatch(/^refused: \S+ does not accept the credentials.*: 401 Unauthorized: .*\n$/);
      expect(ofFile.stderr).toContain(` with user "test" of ${kubeconfig}: `);
      const given = await bare([...named, '--token=of-nobody'], { kubeconfig }).exit;
      expect(given.stderr).toContain(' with the token of --token or KUBE_AWAIT_TOKEN: ');
      expect(ofFile.stderr + given.stderr).not.toContain('of-nobody');
    });
  }
});

describe.concurrent('a refusal that passes', () => {
  let ns = '';
  beforeAll(async () => {
    ns = `check-${process.pid}`;
    await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } });
    await api.until(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: ns } },
      Boolean,
    );
  });
  afterAll(() => api.delete({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } }));

  /** Forbids for so many seconds from its first call on. */
  function forbidding(seconds: number): RequestListener {
    let since: number | undefined;
    return (incoming, outgoing) => {
      since ??= performance.now();
      (performance.now() - since < seconds * 1000 ? forbid : pass)(incoming, outgoing);
    };
  }

  test('within five seconds', async ({ bare, expect }) => {
    await api.create(job({ namespace: ns, name: 'soon' }));
    const kubeconfig = kubeconfigFor({ server: await serve(forbidding(3)) });
    const run = bare(['job/soon'], { kubeconfig, namespace: ns });
    await run.line(/403 Forbidden/);
    expect(await run.exit).toMatchObject({ code: 0 });
  });

  test('within thirty seconds of an outage', async ({ bare, expect }) => {
    await api.create(job({ namespace: ns, name: 'restarted' }));
    const later = forbidding(7);
    let asked = 0;
    const server = await serve((incoming, outgoing) => {
      asked += 1;
      if (asked === 1) outgoing.destroy();
      else later(incoming, outgoing);
    });
    const run = bare(['job/restarted'], { kubeconfig: kubeconfigFor({ server }), namespace: ns });
    await run.line(/403 Forbidden/);
    expect(await run.exit).toMatchObject({ code: 0 });
  });

  test('twice, each time within five seconds of an answer', async ({ bare, expect }) => {
    const awaited = job({ namespace: ns, name: 'twice', labels: { app: 'twice' }, exitCode: 'ask' });
    await api.create(awaited);
    // Without watch each look is a LIST: one is answered, then none for a while, and so on.
    let windows = [forbidding(3.5), forbidding(3.5)];
    let answered = 0;
    const refusals: number[] = [];
    const server = await serve((incoming, outgoing) => {
      if (incoming.url?.includes('watch=1')) return forbid(incoming, outgoing);
      const [window] = answered === 0 ? [] : windows;
      if (window === undefined) {
        answered += 1;
        return pass(incoming, outgoing);
      }
      outgoing.on('finish', () => {
        if (outgoing.statusCode === 403) refusals.push(performance.now());
        else windows = windows.slice(1);
      });
      window(incoming, outgoing);
    });
    const run = bare(['job/twice'], { kubeconfig: kubeconfigFor({ server }), namespace: ns });
    await expect.poll(() => windows.length, { timeout: 60_000 }).toBe(0);
    const path = `/api/v1/namespaces/${ns}/pods?labelSelector=app%3Dtwice`;
    const [made] = await api.untilAll(path, (pods) => pods.length > 0);
    await endPod({ ...made, apiVersion: 'v1', kind: 'Pod' }, 0);
    expect(await run.exit).toMatchObject({ code: 0 });
    expect((refusals.at(-1) ?? 0) - (refusals[0] ?? 0)).toBeGreaterThan(5_000);
  });
});
