import type { Shell } from './invocation.ts';
import { builtInKinds, kindLabel } from './kinds.ts';
import { OPTIONS, type Option } from './options.ts';

const GOALS = 'complete finished ready create delete condition= jsonpath=';
const FILES: readonly Option['name'][] = ['kubeconfig', 'termination-log'];

/** zsh runs bash's completions once it is told to. https://zsh.sourceforge.io/Doc/Release/Completion-System.html */
const ZSH_FIRST = `autoload -U +X compinit && compinit
autoload -U +X bashcompinit && bashcompinit
`;

/**
 * A script that completes subcommands, kinds, options and their values. It is made from the table of options and asks
 * nobody: neither this program at each key, as yargs' own script does, nor a cluster.
 */
export function completion(shell: Shell): string {
  const subcommands = 'check rbac completion';
  const kinds = builtInKinds().map(kindLabel).join(' ');
  const options = OPTIONS.flatMap(spellings).join(' ');
  return `${shell === 'zsh' ? ZSH_FIRST : ''}_kube_await() {
  local current previous prefix words word
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  prefix=""
  # bash takes --name=value for three words, zsh for one.
  if [ "$current" = "=" ]; then
    current=""
  elif [ "$previous" = "=" ]; then
    previous="\${COMP_WORDS[COMP_CWORD-2]}"
  elif [ "\${current#--*=}" != "$current" ]; then
    previous="\${current%%=*}"
    prefix="$previous="
    current="\${current#--*=}"
  fi
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD-1))}"; do
    if [ "$word" = "--" ]; then
      COMPREPLY=($(compgen -f -- "$current"))
      return
    fi
  done
  case "$previous" in
${valueCases()}
  esac
  case "$current" in
    -*) words="${options}" ;;
    *) words="${kinds}" ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="$words ${subcommands}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _kube_await kube-await`;
}

function spellings(option: Option): string[] {
  return option.short === undefined ? [`--${option.name}`] : [`--${option.name}`, `-${option.short}`];
}

/** What stands behind an option that takes a value: mostly nothing that could be guessed. */
function valueCases(): string {
  return OPTIONS.filter((option) => option.type !== 'boolean')
    .map((option: Option) => `    ${spellings(option).join('|')}) ${valueWords(option)}return ;;`)
    .join('\n');
}

function valueWords(option: Option): string {
  if (FILES.includes(option.name)) return 'COMPREPLY=($(compgen -P "$prefix" -f -- "$current")); ';
  const choices = option.name === 'for' ? GOALS : option.choices?.join(' ');
  return choices === undefined ? '' : `COMPREPLY=($(compgen -P "$prefix" -W "${choices}" -- "$current")); `;
}
