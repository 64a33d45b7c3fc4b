/** README.md and docs/, as tests read them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** A fenced block. Behind its language stand words that say what a test does with it. */
export interface Block {
  /** `docs/api.md:12` */
  readonly where: string;
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
}

/** A page, by its path from the root of the repository. */
export interface Page {
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

const OUTSIDE_OF_DOCS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'k8s/examples/README.md'];

/** Every page of the repository. */
export function pages(): readonly Page[] {
  const docs = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.posix.join('docs', name.replaceAll(path.sep, '/')));
  return [...OUTSIDE_OF_DOCS, ...docs.sort()].map((name) => {
    const text = readFileSync(path.join(ROOT, name), 'utf8');
    return { name, text, blocks: blocksOf(name, text) };
  });
}

/** The fenced blocks of a page. Throws for one that is not closed. */
export function blocksOf(name: string, text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; at: number; info: readonly string[]; indent: number; lines: string[] } | undefined;
  text.split('\n').forEach((line, index) => {
    const [, indent = '', fence = '', info = ''] = /^( *)(```+)(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (fence === '') return;
      open = { fence, at: index + 1, info: info.trim().split(/\s+/), indent: indent.length, lines: [] };
    } else if (fence === open.fence && info === '') {
      const [language = '', ...words] = open.info;
      blocks.push({ where: `${name}:${open.at}`, language, words, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    } else {
      open.lines.push(line.slice(open.indent));
    }
  });
  if (open !== undefined) throw new Error(`${name}:${open.at}: a block that is not closed`);
  return blocks;
}

/** The commands of a shell or console block, each on one line. Output between prompts is left out. */
export function commandsOf({ language, text }: Block): readonly string[] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ').split('\n');
  if (language === 'console') return joined.flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
  return language === 'sh' ? joined.filter((line) => line.trim() !== '' && !line.trim().startsWith('#')) : [];
}
