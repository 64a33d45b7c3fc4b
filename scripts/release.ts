/**
 * What the workflows ask about a release. The version stands in package.json; a tag is `v` and that version.
 *
 *   node scripts/release.ts check TAG     fails unless TAG is this version, and CHANGELOG.md tells of it
 *   node scripts/release.ts tags TAG      the tags of the image, one a line
 *   node scripts/release.ts channel TAG   npm's: latest, or next for a version such as 1.0.0-rc.1
 *   node scripts/release.ts notes TAG     what CHANGELOG.md says of it
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** The version of a tag. Throws where it is none. */
export function versionOf(tag: string): string {
  const version = /^v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(tag)?.[1];
  if (version === undefined) throw new Error(`expected a tag such as v1.2.3, got ${JSON.stringify(tag)}`);
  return version;
}

function isPreRelease(version: string): boolean {
  return version.includes('-');
}

/** A pre-release gets no tag that somebody follows. */
export function imageTags(version: string): readonly string[] {
  if (isPreRelease(version)) return [version];
  const [major = '', minor = ''] = version.split('.');
  return [version, `${major}.${minor}`, ...(major === '0' ? [] : [major]), 'latest'];
}

export function channel(version: string): 'latest' | 'next' {
  return isPreRelease(version) ? 'next' : 'latest';
}

/** The section of a version, without its heading. Throws where there is none, or nothing in it. */
export function notes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/\s/, 1)[0] === version);
  const body = section?.replace(/^.*\n/, '').trim();
  if (!body) throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return body;
}

/** Throws unless a tag may be released. */
export function check(version: string): void {
  const { version: own } = JSON.parse(read('package.json'));
  if (version !== own) throw new Error(`package.json says ${own}, the tag says ${version}`);
  notes(read('CHANGELOG.md'), version);
}

/** What there is to print; nothing where all is well. */
function answer(command: string | undefined, version: string): readonly string[] {
  switch (command) {
    case 'check':
      check(version);
      return [];
    case 'tags':
      return imageTags(version);
    case 'channel':
      return [channel(version)];
    case 'notes':
      return [notes(read('CHANGELOG.md'), version)];
    default:
      throw new Error(`expected check, tags, channel or notes, got ${JSON.stringify(command)}`);
  }
}

if (import.meta.main) {
  const [command, tag = ''] = process.argv.slice(2);
  try {
    for (const line of answer(command, versionOf(tag))) console.log(line);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
