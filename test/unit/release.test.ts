import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { channel, check, imageTags, notes, versionOf } from '../../scripts/release.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const { version } = JSON.parse(read('package.json'));

test('this version may be released, and no other', () => {
  expect(() => check(version)).not.toThrow();
  expect(() => check('9.9.9')).toThrow(`package.json says ${version}, the tag says 9.9.9`);
});

test.each([
  ['v1.2.3', '1.2.3', ['1.2.3', '1.2', '1', 'latest'], 'latest'],
  ['v0.1.0', '0.1.0', ['0.1.0', '0.1', 'latest'], 'latest'],
  ['v1.0.0-rc.1', '1.0.0-rc.1', ['1.0.0-rc.1'], 'next'],
])('%s is version %s', (tag, expected, tags, npm) => {
  expect(versionOf(tag)).toBe(expected);
  expect(imageTags(expected)).toEqual(tags);
  expect(channel(expected)).toBe(npm);
});

test.each(['1.2.3', 'v1.2', 'v1.2.3 ', 'main', ''])('%j is no tag of a version', (tag) => {
  expect(() => versionOf(tag)).toThrow('expected a tag such as v1.2.3');
});

test('the notes of a version are its section', () => {
  const changelog = '# Changes\n\n## 1.1.0 (unreleased)\n\n- b\n\n## 1.0.0\n\n- a\n  - c\n\n## 0.9.0\n';
  expect(notes(changelog, '1.1.0')).toBe('- b');
  expect(notes(changelog, '1.0.0')).toBe('- a\n  - c');
  expect(() => notes(changelog, '0.9.0')).toThrow('CHANGELOG.md says nothing of 0.9.0');
  expect(() => notes(changelog, '1.0')).toThrow('CHANGELOG.md says nothing of 1.0');
});

const WORKFLOWS = '.github/workflows';

describe.each(readdirSync(path.join(ROOT, WORKFLOWS)))('%s', (name) => {
  const text = read(path.join(WORKFLOWS, name));

  test('names every action by what cannot change, and says which version that is', () => {
    const uses = [...text.matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, what = '']) => what);
    const loose = uses.filter((what) => !/^\.\/|^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what));
    expect(loose).toEqual([]);
  });

  test('gives nobody more than it says: no permission comes by default', () => {
    expect(load(text)).toMatchObject({
      permissions: expect.toSatisfy((given) => ['{}', '{"contents":"read"}'].includes(JSON.stringify(given))),
    });
  });

  test('leaves no token in the checkout', () => {
    expect(text.match(/persist-credentials: false/g)?.length).toBe(text.match(/actions\/checkout@/g)?.length);
  });
});

test('each script that a workflow runs is there', () => {
  const { scripts } = JSON.parse(read('package.json'));
  for (const name of readdirSync(path.join(ROOT, WORKFLOWS))) {
    const text = read(path.join(WORKFLOWS, name));
    for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts, name).toHaveProperty([script]);
    for (const [, file = ''] of text.matchAll(/node (scripts\/\S+)/g)) expect(() => read(file), name).not.toThrow();
  }
});
