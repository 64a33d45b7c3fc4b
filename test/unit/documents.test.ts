/** What README and docs/ show is what the program takes: no command, manifest or option in them is out of date. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { type Environment, parse } from '../../src/cli/invocation.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { parseWaitForSh } from '../../src/cli/wait-for-sh.ts';
import { list, text } from '../../src/json.ts';
import { blocksOf, commandsOf, type Page, pages } from '../harness/documents.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/** Options of kubectl, Helm, npm, Docker, Istio and of Kubernetes itself that pages speak of. */
const OF_OTHERS: readonly string[] = ['--atomic', '--wait'];

const IMAGE = /(^|\/)kube-await(:[\w.-]+)?(@sha256:\w+)?$/;

/** The words of a shell's line, command by command. Variables and what the shell puts in are left as they are. */
function shellWords(line: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  const tokens = line.matchAll(
    /\s+#.*$|(\|\|?|&&|;|&|[<>]\(?|\))|((?:'[^']*'|"(?:\\.|[^"])*"|\\.|[^\s'"|&;<>()\\])+)/g,
  );
  for (const [, operator, word] of tokens) {
    if (operator !== undefined) commands.push([]);
    if (word !== undefined) commands.at(-1)?.push(unquoted(word));
  }
  return commands.filter(({ length }) => length > 0);
}

function unquoted(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:\\.|[^"])*)"|\\(.)/g,
    (_, single, double, escaped) => single ?? double?.replaceAll(/\\(.)/g, '$1') ?? escaped,
  );
}

/** The arguments of kube-await in a command, whether it runs by itself, by npx or in a container; with its variables. */
function callOf(words: readonly string[]): { readonly argv: readonly string[]; readonly env: Environment } | undefined {
  const at = words.findIndex((word) => !/^\w+=/.test(word));
  const env = Object.fromEntries(words.slice(0, Math.max(0, at)).map((word) => word.split(/=(.*)/s).slice(0, 2)));
  const [program = '', ...rest] = words.slice(at);
  if (program === 'kube-await') return { argv: rest, env };
  if (program === 'npx') return callOf(rest.filter((word) => word !== '--yes'));
  const image = program === 'docker' && rest[0] === 'run' ? rest.findIndex((word) => IMAGE.test(word)) : -1;
  return image === -1 ? undefined : { argv: rest.slice(image + 1), env };
}

/** Every container of a manifest that runs the image, and in a piece of one every container without an image. */
function* waitersIn(
  value: unknown,
): Generator<{ readonly command: readonly string[]; readonly args: readonly string[] }> {
  if (typeof value !== 'object' || value === null) return;
  const words = (name: string): readonly string[] => list(value, name).map(String);
  const isWaiter = IMAGE.test(text(value, 'image') ?? 'kube-await') && list(value, 'args').length > 0;
  if (isWaiter) yield { command: words('command'), args: words('args') };
  for (const inner of Object.values(value)) yield* waitersIn(inner);
}

/** Throws a UsageError for what the container would not take. */
function readWaiter({
  command,
  args,
}: {
  readonly command: readonly string[];
  readonly args: readonly string[];
}): void {
  const [program = 'kube-await', ...first] = command;
  const argv = [...first, ...args];
  if (program.endsWith('wait_for.sh')) parseWaitForSh(argv, {});
  else parse(program === 'node' ? argv.slice(1) : argv, {});
}

const commandsIn = (page: Page) =>
  page.blocks.flatMap((block) =>
    commandsOf(block)
      .flatMap(shellWords)
      .flatMap((words) => callOf(words) ?? [])
      .map((call) => ({ ...call, where: block.where })),
  );

const waitersOf = (page: Page) =>
  page.blocks
    // Templates of Helm are no YAML; tests render them elsewhere.
    .filter((block) => block.language === 'yaml' && !block.text.includes('{{'))
    .flatMap(({ text: yaml, where }) =>
      loadAll(yaml).flatMap((value) => [...waitersIn(value)].map((waiter) => ({ ...waiter, where }))),
    );

/** Code within the text of a page. */
const spansOf = ({ text: all }: Page): readonly string[] =>
  [...all.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

/** Whether a link leads somewhere; those out of the repository are not followed. */
function isThere(page: Page, link: string): boolean {
  if (/^https?:/.test(link)) return true;
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page.name : path.posix.join(path.posix.dirname(page.name), file);
  if (!existsSync(path.join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(readFileSync(path.join(ROOT, target), 'utf8')).includes(anchor);
}

/** What GitHub calls the headings of a page. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(pages().map((page) => [page.name, page] as const))('%s', (_, page) => {
  test.each(commandsIn(page).map((call) => [`${call.where}: ${call.argv.join(' ')}`, call] as const))(
    '%s',
    (__, { argv, env }) => {
      expect(() => parse(argv, env)).not.toThrow();
    },
  );

  test.each(waitersOf(page).map((waiter) => [`${waiter.where}: ${waiter.args.join(' ')}`, waiter] as const))(
    '%s',
    (__, waiter) => {
      expect(() => readWaiter(waiter)).not.toThrow();
    },
  );

  test('speaks of no option that there is not', () => {
    const known = [...OPTIONS.map(({ name }) => `--${name}`), ...OF_OTHERS];
    const options = spansOf(page).flatMap((span) => /^--[\w-]+/.exec(span)?.[0] ?? []);
    expect(options.filter((option) => !known.includes(option))).toEqual([]);
    const calls = spansOf(page)
      .flatMap(shellWords)
      .flatMap((words) => callOf(words) ?? []);
    for (const { argv, env } of calls) {
      // `kube-await rbac` by itself is its name, and no call.
      if (argv.length > 1 || argv[0]?.includes('/')) expect(() => parse(argv, env), argv.join(' ')).not.toThrow();
    }
  });

  test('links only to what is there', () => {
    const targets = [...page.text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !isThere(page, target))).toEqual([]);
  });
});

describe('docs/troubleshooting.md', () => {
  const ofTheApi = ['BackoffLimitExceeded', 'DeadlineExceeded', 'PodFailurePolicy'];
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(ROOT, 'src', name), 'utf8'))
    // Long texts are put together from several.
    .map((source) => source.replaceAll(/' \+\n\s*['`]/g, ''))
    .join('\n');
  const { text } = pages().find(({ name }) => name === 'docs/troubleshooting.md') ?? { text: '' };
  const messages = [...text.matchAll(/^### (.+)$/gm)].flatMap(([, heading = '']) =>
    [...heading.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message),
  );

  test.each(messages.filter((message) => !ofTheApi.includes(message)))('%s is what the program says', (message) => {
    const parts = message.split('...').filter((part) => part.trim() !== '');
    expect(parts.filter((part) => !sources.includes(part.trim()))).toEqual([]);
  });

  test('explains something', () => {
    expect(messages.length).toBeGreaterThan(20);
  });
});

test('every image in a page is of this version', () => {
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  const tags = pages().flatMap((page) =>
    [...page.text.matchAll(/kube-await\/kube-await:([\w.-]+)/g)].map(([, tag]) => tag),
  );
  expect([...new Set(tags)]).toEqual([version]);
});

test('a shell line is read as a shell would', () => {
  expect(shellWords(`A=1 kube-await 'a b' --x="c d" pod -l "e in (f, g)" | jq -r '.a | .b' # no`)).toEqual([
    ['A=1', 'kube-await', 'a b', '--x=c d', 'pod', '-l', 'e in (f, g)'],
    ['jq', '-r', '.a | .b'],
  ]);
});

test('a command, a variable and a manifest that the program does not take are found', () => {
  const refused = (line: string): boolean => {
    const call = callOf(shellWords(line)[0] ?? []);
    if (call === undefined) throw new Error(`no call in ${line}`);
    try {
      parse(call.argv, call.env);
      return false;
    } catch {
      return true;
    }
  };
  expect(refused('kube-await job/x --timeout=5m')).toBe(false);
  expect(refused('npx kube-await job/x --time-out=5m')).toBe(true);
  expect(refused('KUBE_AWAIT_TIMEOUT=5 kube-await job/x')).toBe(true);
  expect(refused('docker run --rm ghcr.io/kube-await/kube-await:0.1.0 job/x --nope')).toBe(true);
  const [waiter] = waitersIn({ spec: [{ image: 'a/kube-await:1', args: ['job/x', '--nope'] }] });
  expect(() => readWaiter(waiter ?? { command: [], args: [] })).toThrow('unknown option');
});

test('a block that is not closed is told of', () => {
  expect(() => blocksOf('x.md', 'a\n```sh\nb\n')).toThrow('x.md:2');
});
