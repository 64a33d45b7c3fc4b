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

  test('its context holds nothing but what is copied', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name);
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      (names ?? '').split(' '),
    );
    expect(copied.sort()).toEqual(allowed.sort());
  });
});
