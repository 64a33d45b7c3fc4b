import { EXIT } from '../exit.ts';
import type { HelpTopic } from './invocation.ts';
import { OPTIONS, type Option } from './options.ts';

export { completion } from './completion.ts';

/** What a terminal holds at the least, and a README too. */
const COLUMNS = 80;

const USAGE: Readonly<Record<HelpTopic, string>> = {
  wait: `kube-await [options] TARGET... [-- COMMAND ARG...]
kube-await check [options] TARGET...   may I watch these targets?
kube-await rbac [options] TARGET...    print the smallest Role for them
kube-await completion [bash|zsh]       print a script for the shell

Blocks until every TARGET is done, and fails as soon as one has failed.

TARGET is one of
  KIND/NAME, KIND NAME...        job/migrate, job migrate seed
  KIND -l SELECTOR               pod -l app=db,tier!=cache
  NAMESPACE/ before either       infra/job/migrate, infra/pod -l app=db
with kinds as in kubectl: job, jobs, po, deploy.apps, crontab.example.com`,
  check: `kube-await check [options] TARGET...

Asks the API server whether a wait with the same arguments would be allowed,
and prints a table. Exits with 0, with 3 when a permission is lacking, and with
124 when no answer came within --timeout, which is 10s here.

Targets and options are those of a wait: see kube-await --help.`,
  rbac: `kube-await rbac [options] TARGET...

Prints, as YAML for kubectl apply -f -, the ServiceAccount, Role and RoleBinding
that a wait with the same arguments needs. No server is asked, but for kinds
that are not built in.

Targets and options are those of a wait (see kube-await --help), and these.`,
  completion: `kube-await completion [bash|zsh]

Prints a completion script. Without a word for the shell, $SHELL decides.`,
};

const EXAMPLES: Readonly<Record<HelpTopic, readonly (readonly [command: string, meaning: string])[]>> = {
  wait: [
    ['kube-await job/migrate', 'a Job has completed'],
    ['kube-await pod -l app=db', 'all pods of a label are done'],
    ['kube-await job/a deploy/b -n shop', 'both, in another namespace'],
    ['kube-await job/a --on-missing=succeed', 'done as well when it is gone'],
    ['kube-await po/x --for=condition=Ready', 'as kubectl wait has it'],
    ['kube-await job/a -- ./server --port 80', 'then run a command'],
  ],
  check: [['kube-await check job/migrate pod -l app=db', '']],
  rbac: [['kube-await rbac job/migrate | kubectl apply -f -', '']],
  completion: [
    ['source <(kube-await completion bash)', 'in ~/.bashrc'],
    ['source <(kube-await completion zsh)', 'in ~/.zshrc'],
  ],
};

const EXIT_CODES = `Exit codes:
  ${column(EXIT.reached)} every target reached (then COMMAND's own code)
  ${column(EXIT.failed)} a target failed, was missing or deleted under fail, or was stuck
  ${column(EXIT.usage)} usage or configuration error
  ${column(EXIT.refused)} refused: 401, 403, or a certificate that cannot be trusted
  ${column(EXIT.internal)} an internal error
  ${column(EXIT.timeout)} the timeout passed
  ${EXIT.notExecutable}, ${EXIT.notFound} COMMAND cannot be executed, is not there
  ${EXIT.interrupted}, ${EXIT.terminated} SIGINT, SIGTERM

Options, but for selectors and --all, are also read from the environment:
KUBE_AWAIT_TIMEOUT, KUBE_AWAIT_ON_MISSING, ... The command line wins.`;

function column(code: number): string {
  return String(code).padEnd(8);
}

/**
 * The help of the program or of a subcommand, without a line break at its end. yargs lays out the options; it is loaded
 * here and nowhere else, since no run that waits needs it.
 */
export async function help(topic: HelpTopic): Promise<string> {
  const { default: yargs } = await import('yargs');
  const parser = yargs([]).scriptName('kube-await').locale('en').wrap(COLUMNS).version(false).help(false);
  for (const option of optionsOf(topic)) {
    const { name, short, group, help: text, choices, value, defaultText } = option;
    parser.option(name, {
      group: `${group}:`,
      describe: value === undefined ? text : `${value}: ${text}`,
      ...(short && { alias: short }),
      ...(choices && { choices }),
      ...(defaultText && { defaultDescription: defaultText }),
    });
  }
  for (const [command, meaning] of EXAMPLES[topic]) parser.example(command, meaning);
  if (topic === 'wait') parser.epilogue(EXIT_CODES);
  // Not through yargs' usage(), which takes the indentation away.
  return `${USAGE[topic]}\n\n${(await parser.getHelp()).trim()}`;
}

/** A subcommand's help shows only what a wait does not take. */
function optionsOf(topic: HelpTopic): readonly Option[] {
  return OPTIONS.filter(({ modes }: Option) =>
    topic === 'wait'
      ? modes.includes('wait')
      : topic !== 'completion' && modes.includes(topic) && !modes.includes('wait'),
  );
}
