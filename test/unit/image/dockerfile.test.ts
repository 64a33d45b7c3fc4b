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

  test('its context holds nothing but what is copied', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name);
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      (names ?? '').split(' '),
    );
    expect(copied.sort()).toEqual(allowed.sort());
  });
});
