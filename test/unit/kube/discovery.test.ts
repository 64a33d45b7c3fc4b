import { describe, expect, test } from 'vitest';
import { discover } from '../../../src/kube/discovery.ts';
import { fromHttp, TransportError } from '../../../src/kube/problem.ts';
import type { ApiResource } from '../../../src/kube/resource.ts';
import type { Response, Transport } from '../../../src/kube/transport.ts';

const OPTIONS = { signal: new AbortController().signal, timeoutMs: 1_000 };

/** Answers from a table of documents; a number stands for an HTTP error. */
function transportOf(documents: Readonly<Record<string, unknown>>): { transport: Transport; asked: string[] } {
  const asked: string[] = [];
  const transport: Transport = {
    async request({ path }) {
      asked.push(path);
      const document = documents[path] ?? 404;
      if (typeof document === 'number') throw new TransportError(fromHttp(document, {}, ''));
      return { json: async () => document } as Response;
    },
    close() {},
  };
  return { transport, asked };
}

interface Row {
  readonly group: string;
  readonly version: string;
  /** `plural singular Kind short,short`, with `!` in front for cluster-scoped; undefined: cannot be read. */
  readonly resources: readonly string[] | undefined;
}

const SERVED: readonly Row[] = [
  { group: '', version: 'v1', resources: ['pods pod Pod po', 'events event Event ev', '!nodes node Node no'] },
  { group: 'apps', version: 'v1', resources: ['deployments deployment Deployment deploy'] },
  { group: 'events.k8s.io', version: 'v1', resources: ['events event Event ev'] },
  { group: 'autoscaling', version: 'v2', resources: ['horizontalpodautoscalers horizontalpodautoscaler HPA hpa'] },
  {
    group: 'autoscaling',
    version: 'v1',
    resources: ['horizontalpodautoscalers horizontalpodautoscaler HPA hpa', 'old old Old'],
  },
  { group: 'stable.example.com', version: 'v1', resources: ['crontabs crontab CronTab ct,pods'] },
  { group: 'other.example.com', version: 'v1beta1', resources: ['crontabs crontab CronTab ct', '!hubs  Hub'] },
];

interface Parsed {
  readonly name: string;
  readonly singularName: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
}

function parsed(text: string): Parsed {
  const [name = '', singularName = '', kind = '', short = ''] = text.replace('!', '').split(' ');
  const shortNames = short === '' ? [] : short.split(',');
  return { name, singularName, kind, shortNames, namespaced: !text.startsWith('!') };
}

/** As from 1.26 on: one document for the core group, one for all others. */
function aggregated(rows: readonly Row[]): Record<string, unknown> {
  const items = [...new Set(rows.map(({ group }) => group))].map((group) => ({
    metadata: group === '' ? {} : { name: group },
    versions: rows
      .filter((row) => row.group === group)
      .map(({ version, resources }) => ({
        version,
        freshness: resources === undefined ? 'Stale' : 'Current',
        resources: [
          ...(resources ?? []).map(parsed).map(({ name, singularName, kind, shortNames, namespaced }) => ({
            resource: name,
            responseKind: { group, version, kind },
            scope: namespaced ? 'Namespaced' : 'Cluster',
            singularResource: singularName,
            shortNames,
            verbs: ['get', 'list', 'watch'],
            subresources: [{ subresource: 'status', responseKind: { group, version, kind }, verbs: ['get'] }],
          })),
          { resource: 'parents', responseKind: { group: '', version: '', kind: '' }, scope: 'Namespaced', verbs: [] },
        ],
      })),
  }));
  const list = { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' };
  return {
    '/api': { ...list, items: items.filter(({ metadata }) => metadata.name === undefined) },
    '/apis': { ...list, items: items.filter(({ metadata }) => metadata.name !== undefined) },
  };
}

/** As before 1.26: lists of groups and versions, and a document for each version. The preferred one is listed last. */
function unaggregated(rows: readonly Row[]): Record<string, unknown> {
  const documents: Record<string, unknown> = { '/api': { kind: 'APIVersions', versions: ['v1'] } };
  const groups = [...new Set(rows.map(({ group }) => group))].filter((group) => group !== '');
  documents['/apis'] = {
    kind: 'APIGroupList',
    groups: groups.map((name) => {
      const versions = rows
        .filter(({ group }) => group === name)
        .map(({ version }) => ({ groupVersion: `${name}/${version}` }));
      return { name, versions: [...versions].reverse(), preferredVersion: versions[0] };
    }),
  };
  for (const { group, version, resources } of rows) {
    documents[group === '' ? `/api/${version}` : `/apis/${group}/${version}`] =
      resources === undefined
        ? 503
        : {
            kind: 'APIResourceList',
            groupVersion: group === '' ? version : `${group}/${version}`,
            resources: resources.map(parsed).flatMap((each) => [each, { ...each, name: `${each.name}/status` }]),
          };
  }
  return documents;
}

function short(resource: ApiResource | undefined): string | undefined {
  return resource && `${resource.name} ${resource.group}/${resource.version}`;
}

describe.each([
  ['aggregated', aggregated],
  ['unaggregated', unaggregated],
])('%s discovery', (_form, documentsOf) => {
  const words: [string, string, string | undefined][] = [
    ['a plural', 'pods', 'pods /v1'],
    ['a singular', 'pod', 'pods /v1'],
    ['a short name', 'po', 'pods /v1'],
    ['a kind', 'Deployment', 'deployments apps/v1'],
    ['capitals', 'PODS', 'pods /v1'],
    ['a singular that the server does not name', 'hub', 'hubs other.example.com/v1beta1'],
    ['a name in two groups: the server’s first', 'ev', 'events /v1'],
    ['the other one by its group', 'events.events.k8s.io', 'events events.k8s.io/v1'],
    ['a name in two custom groups: the server’s first', 'crontab', 'crontabs stable.example.com/v1'],
    ['the other one by its group', 'crontab.other.example.com', 'crontabs other.example.com/v1beta1'],
    ['a short name with its group', 'ct.other.example.com', 'crontabs other.example.com/v1beta1'],
    ['a group that only begins so', 'ct.other', 'crontabs other.example.com/v1beta1'],
    ['the preferred version', 'hpa', 'horizontalpodautoscalers autoscaling/v2'],
    ['another version by name', 'hpa.v1.autoscaling', 'horizontalpodautoscalers autoscaling/v1'],
    ['what only another version has', 'old', 'old autoscaling/v1'],
    ['a version that is not served', 'hpa.v9.autoscaling', undefined],
    ['a group that is not served', 'pods.example.com', undefined],
    ['a word that is nothing', 'nonsense', undefined],
    ['a subresource', 'pods/status', undefined],
    ['the parent of subresources', 'parents', undefined],
    ['nothing', '', undefined],
  ];
  test.each(words)('%s: %s', async (_name, word, expected) => {
    const { transport } = transportOf(documentsOf(SERVED));
    expect(short(await discover(transport, word, OPTIONS))).toBe(expected);
  });

  test('tells all about it', async () => {
    const { transport } = transportOf(documentsOf(SERVED));
    expect(await discover(transport, 'ct', OPTIONS)).toEqual({
      group: 'stable.example.com',
      version: 'v1',
      name: 'crontabs',
      singularName: 'crontab',
      kind: 'CronTab',
      shortNames: ['ct', 'pods'],
      namespaced: true,
    });
    expect(await discover(transport, 'no', OPTIONS)).toMatchObject({ name: 'nodes', namespaced: false });
  });

  describe('where a group cannot be read', () => {
    const down = [...SERVED, { group: 'metrics.k8s.io', version: 'v1beta1', resources: undefined }];

    test('what others serve is found', async () => {
      expect(short(await discover(transportOf(documentsOf(down)).transport, 'po', OPTIONS))).toBe('pods /v1');
    });

    test.each(['podmetrics', 'podmetrics.metrics.k8s.io', 'podmetrics.v1beta1.metrics.k8s.io'])(
      'nobody knows whether %s is a kind',
      async (word) => {
        const discovery = discover(transportOf(documentsOf(down)).transport, word, OPTIONS);
        await expect(discovery).rejects.toMatchObject({ problem: { kind: 'status', status: 503 } });
      },
    );

    test('a kind of another group is unknown all the same', async () => {
      expect(await discover(transportOf(documentsOf(down)).transport, 'a.example.com', OPTIONS)).toBeUndefined();
    });
  });
});

test('aggregated discovery takes two requests', async () => {
  const { transport, asked } = transportOf(aggregated(SERVED));
  await discover(transport, 'po', OPTIONS);
  expect(asked).toEqual(['/api', '/apis']);
});

test('a version that is taken away meanwhile is no fault', async () => {
  const documents = { ...unaggregated(SERVED), '/apis/other.example.com/v1beta1': 404 };
  expect(await discover(transportOf(documents).transport, 'hub', OPTIONS)).toBeUndefined();
});

test('a 404 of a version that was just listed says nothing about a kind of its group', async () => {
  const documents = { ...unaggregated(SERVED), '/apis/other.example.com/v1beta1': 404 };
  await expect(discover(transportOf(documents).transport, 'hubs.other.example.com', OPTIONS)).rejects.toMatchObject({
    problem: { status: 503 },
  });
});

test.each([401, 403, 500])('a %d is told', async (status) => {
  const { transport } = transportOf({ ...aggregated(SERVED), '/apis': status });
  await expect(discover(transport, 'po', OPTIONS)).rejects.toMatchObject({ problem: { status } });
});
