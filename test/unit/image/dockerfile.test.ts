import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const { version, description } = JSON.parse(read('package.json'));

describe('Dockerfile', () => {
  test('says the version and the description of package.json', () => {
    expect(read('Dockerfile')).toContain(`ARG VERSION=${version}\n`);
    expect(read('Dockerfile')).toContain(`description="${description}"`);
  });

  test('the samples name the image of this version', () => {
    expect(read('k8s/kustomization.yaml')).toContain(`newTag: ${version}\n`);
    expect(read('k8s/chart/values.yaml')).toContain(`\n  tag: ${version}\n`);
  });

  test('compiles ahead with the flags with which the program is run: V8 takes it with no others', () => {
    const [, flags] = /--interpreter "\/nodejs\/bin\/node ([^"]+)"/.exec(read('Dockerfile')) ?? [];
    expect(flags).toBeDefined();
    expect(read('Dockerfile')).toContain(`RUN ["/nodejs/bin/node", "${flags}", "/tmp/compile-cache.cjs"`);
    // The kernel hands on all that stands there as one word.
    expect(flags).not.toContain(' ');
  });

  test('its context holds nothing but what is copied', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name);
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      (names ?? '').split(' '),
    );
    expect(copied.sort()).toEqual(allowed.sort());
  });
});
