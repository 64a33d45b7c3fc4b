/** `npm run docs`: writes docs/options.md from the table of options. A test fails where the page is older than that. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { OPTIONS, type Option, type OptionGroup, variableOf } from '../src/cli/options.ts';

export const OPTIONS_PAGE = path.resolve(import.meta.dirname, '..', 'docs', 'options.md');

const HEAD = `<!-- Made by \`npm run docs\` from src/cli/options.ts. -->

# Options

\`kube-await --help\` prints the same. \`kube-await completion bash\` and \`zsh\` print a script that completes them.

- \`--timeout 5m\` and \`--timeout=5m\` are the same, and so are \`-n shop\` and \`-nshop\`. An option stands once, unless the table
  says otherwise. \`--\` ends the options: what follows is COMMAND.
- A duration is written as in Go: \`90s\`, \`10m\`, \`1h30m\`. A number without a unit is refused, but for 0.
- The variable sets the option where the command line does not. An empty one is as good as none. Where an option may be
  repeated, the variable has one value a line. A variable that is set for a whole chart is passed over where its option
  does not apply.
- \`check\` and \`rbac\` take all options of a wait, so that its arguments can be put behind them as they are.
`;

const TITLES: Readonly<Record<OptionGroup, string>> = {
  Targets: 'Targets',
  Waiting: 'Waiting',
  Connection: 'Connection, as for kubectl',
  Output: 'Output',
  'rbac only': 'Of rbac',
  Help: 'Help',
};

/** The whole page. */
export function optionsPage(): string {
  const groups = Map.groupBy<OptionGroup, Option>(OPTIONS, ({ group }) => group);
  return [HEAD, ...[...groups].map(([group, options]) => section(TITLES[group], options))].join('\n');
}

function section(title: string, options: readonly Option[]): string {
  const rows = options.map(
    (option) => `| ${[spelling(option), meaning(option), fallback(option), variable(option)].join(' | ')} |`,
  );
  return [`## ${title}`, '', '| option | meaning | default | variable |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function spelling({ name, short, value, choices }: Option): string {
  const taken = choices?.join('|') ?? value;
  const long = `--${name}${taken === undefined ? '' : ` ${taken}`}`;
  return [...(short === undefined ? [] : [`-${short}`]), long].map(code).join(', ');
}

function meaning({ help, repeat }: Option): string {
  const again =
    repeat === 'each kind'
      ? '; once behind each kind'
      : repeat === 'any' && !/repeated/.test(help)
        ? '; may be repeated'
        : '';
  return cell(help + again);
}

function fallback({ defaultText }: Option): string {
  return cell(defaultText ?? '');
}

function variable(option: Option): string {
  return option.env === 'yes' ? code(variableOf(option)) : '';
}

/** A bar would end the cell, within code too. */
function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (import.meta.main) writeFileSync(OPTIONS_PAGE, optionsPage());
