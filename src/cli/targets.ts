import type { ApiResource } from '../kube/resource.ts';
import type { Selection } from '../wait/plan.ts';
import type { Item } from './argv.ts';
import { flagValue } from './given.ts';
import { builtInKind } from './kinds.ts';
import { checkKindWord, checkName, checkNamespace } from './names.ts';
import { meaningOf, type Preset, presetOf } from './presets.ts';
import { parseFieldSelector, parseLabelSelector } from './selector.ts';
import { at, quote, UsageError } from './usage-error.ts';

/** One target as the user asked for it, before its kind and namespace are resolved. */
export interface TargetRequest {
  /** The kind as it was written. */
  readonly kind: string;
  /** Undefined: only discovery can tell. */
  readonly builtIn: ApiResource | undefined;
  readonly preset: Preset | undefined;
  /** From a NAMESPACE/ before the kind. */
  readonly namespace: string | undefined;
  readonly select: Selection;
  /** Requests with the same text here are alternatives: one of them is enough. */
  readonly oneOf?: string | undefined;
}

/** Options that belong to the kind just before them. */
const BOUND = ['selector', 'field-selector', 'all'] as const;
type BoundName = (typeof BOUND)[number];

interface BoundOption {
  readonly name: BoundName;
  readonly value: string;
  readonly shown: string;
}

/** A word, and the options bound to it that follow. */
interface Phrase {
  readonly text: string;
  readonly bound: readonly BoundOption[];
}

export const FORMS = 'KIND/NAME, KIND NAME... or KIND -l SELECTOR';

/**
 * Binds selectors to their kinds and gives the targets in the order in which they were written. Options that are not
 * bound to a kind are passed over. Throws a UsageError for everything that could be read in two ways.
 */
export function parseTargets(items: readonly Item[]): TargetRequest[] {
  const { leading, phrases } = bind(items);
  const groups = new Grammar(phrases).groups();
  return placeLeading(leading, groups).flatMap(requests);
}

/** The targets of one kind or preset, to which every word belongs as a name and every selector. */
export function targetsOf(kind: string, items: readonly Item[]): TargetRequest[] {
  const { leading, phrases } = bind(items);
  const bound = [...leading, ...phrases.flatMap((phrase) => phrase.bound)];
  const names = phrases.map(({ text }) => text);
  if (bound[0] !== undefined && names[0] !== undefined) throw nameWithSelector(`${kind}/${names[0]}`, bound[0]);
  return requests({ namespace: undefined, text: kind, kinds: [kind], names, bound, form: 'words' });
}

function bind(items: readonly Item[]): { leading: readonly BoundOption[]; phrases: readonly Phrase[] } {
  const leading: BoundOption[] = [];
  const phrases: { text: string; bound: BoundOption[] }[] = [];
  for (const item of items) {
    if (item.is === 'word') {
      phrases.push({ text: item.text, bound: [] });
      continue;
    }
    const name = BOUND.find((bound) => bound === item.option.name);
    if (name === undefined || (name === 'all' && !flagValue(item.value, item.shown))) continue;
    (phrases.at(-1)?.bound ?? leading).push({ name, value: item.value ?? '', shown: item.shown });
  }
  return { leading, phrases };
}

/** One kind, or several of `pod,job`, with the names or the selectors that were written behind it. */
interface Group {
  readonly namespace: string | undefined;
  /** As written, with its namespace: what messages call it. */
  readonly text: string;
  readonly kinds: readonly string[];
  readonly names: string[];
  readonly bound: BoundOption[];
  /** `slash`: KIND/NAME, which takes no further names. */
  readonly form: 'slash' | 'words';
}

/** Which word is a kind, and which a name. */
class Grammar {
  readonly #phrases: readonly Phrase[];
  readonly #groups: Group[] = [];

  constructor(phrases: readonly Phrase[]) {
    this.#phrases = phrases;
  }

  groups(): Group[] {
    this.#phrases.forEach((phrase, index) => {
      if (phrase.text.includes('/')) this.#slash(phrase);
      else this.#bare(phrase, this.#phrases[index + 1]);
    });
    return this.#groups;
  }

  /** Before a selector WORD/WORD is NAMESPACE/KIND, elsewhere KIND/NAME. */
  #slash({ text, bound }: Phrase): void {
    const parts = text.split('/');
    const [first = '', second = '', third] = parts;
    if (parts.length > 3 || parts.includes('')) {
      throw new UsageError(`expected KIND/NAME or NAMESPACE/KIND/NAME, got ${quote(text)}`);
    }
    if (third !== undefined) {
      if (bound[0] !== undefined) throw nameWithSelector(text, bound[0]);
      this.#open(text, first, second, 'slash').names.push(third);
    } else if (bound.length > 0) {
      this.#open(text, first, second, 'words').bound.push(...bound);
    } else {
      this.#open(text, undefined, first, 'slash').names.push(second);
    }
  }

  #bare({ text, bound }: Phrase, next: Phrase | undefined): void {
    const group = this.#groups.at(-1);
    const awaitsName = group?.form === 'words' && group.bound.length === 0;
    if (awaitsName && group.names.length === 0) {
      // Directly behind a kind every word is a name: a Service may be called svc.
      if (bound[0] !== undefined) throw nameWithSelector(`${group.text}/${text}`, bound[0]);
      group.names.push(text);
    } else if (group === undefined || bound.length > 0) {
      this.#open(text, undefined, text, 'words').bound.push(...bound);
    } else if (next !== undefined && kindOf(text) !== undefined) {
      throw this.#twoMeanings(text, awaitsName ? group : undefined, next);
    } else if (awaitsName) {
      group.names.push(text);
    } else {
      throw this.#stray(text, group);
    }
  }

  /** A word that can be neither a kind nor a name where it stands. */
  #stray(text: string, group: Group): UsageError {
    const [kind = ''] = group.kinds;
    const [name = ''] = group.names;
    if (group.form === 'slash' && kindOf(kind) === undefined && kindOf(name) !== undefined) {
      return new UsageError(`expected ${quote(`${group.text}/${text}`)}, got ${quote(`${group.text} ${text}`)}`);
    }
    const behind = group.bound[0] === undefined ? group.text : `${group.text} ${written(group.bound[0])}`;
    return new UsageError(`expected KIND/NAME or KIND -l SELECTOR behind ${quote(behind)}, got ${quote(text)}`);
  }

  /** `job a pod b`: the name of a third Job, or a new kind? */
  #twoMeanings(text: string, group: Group | undefined, next: Phrase): UsageError {
    const asKind = next.text.includes('/') ? [] : [quote(`${text}/${next.text}`)];
    const asName = group === undefined ? [] : [quote(`${group.text}/${text}`)];
    const forms = [...asKind, ...asName].join(' or ') || FORMS;
    return new UsageError(`expected ${forms}, got ${quote(`${text} ${next.text}`)} behind another target`);
  }

  #open(text: string, namespace: string | undefined, kindWord: string, form: Group['form']): Group {
    const kinds = kindWord.split(',');
    for (const kind of kinds) checkKindWord(kind);
    if (form === 'slash' && kinds.length > 1) {
      throw new UsageError(`expected one kind before "/", got ${quote(text)}`);
    }
    if (namespace !== undefined) at(quote(text), () => checkNamespace(namespace));
    const group: Group = { namespace, text, kinds, names: [], bound: [], form };
    this.#groups.push(group);
    return group;
  }
}

function nameWithSelector(target: string, bound: BoundOption): UsageError {
  return new UsageError(`${bound.shown}: expected a kind without a name, got ${quote(target)}`);
}

/** Selectors that stand before everything belong to the only kind. */
function placeLeading(leading: readonly BoundOption[], groups: readonly Group[]): readonly Group[] {
  const [first] = leading;
  if (first === undefined) return groups;
  const [group, ...more] = groups;
  if (group === undefined) throw new UsageError(`${first.shown}: expected a kind before it, got none`);
  if (more.length > 0 || group.kinds.length > 1) {
    const texts = quote(groups.map(({ text }) => text).join(' '));
    throw new UsageError(`${first.shown}: expected it behind the kind that it belongs to, got it before ${texts}`);
  }
  if (group.names.length > 0) throw nameWithSelector([group.text, ...wordsBehind(group)].join(' '), first);
  return [{ ...group, bound: [...leading, ...group.bound] }];
}

function wordsBehind(group: Group): readonly string[] {
  return group.form === 'slash' ? [] : group.names;
}

function requests(group: Group): TargetRequest[] {
  const selections = group.bound.length > 0 ? [selection(group)] : names(group);
  return group.kinds.flatMap((kind) =>
    selections.map((select) => {
      const preset = presetOf(kind);
      const builtIn = kindOf(kind);
      if (select.by === 'name') at(kind, () => checkName(select.name, builtIn));
      const request = { kind, builtIn, preset, namespace: group.namespace, select };
      if (preset === undefined || meaningOf(preset).enough === 'all' || group.names.length < 2) return request;
      return { ...request, oneOf: `${kind} ${group.names.join(' ')}` };
    }),
  );
}

function names(group: Group): Selection[] {
  if (group.names.length === 0) {
    const { text } = group;
    throw new UsageError(`expected ${text}/NAME, ${text} NAME... or ${text} -l SELECTOR, got ${quote(text)} alone`);
  }
  return group.names.map((name) => ({ by: 'name', name }));
}

function selection(group: Group): Selection {
  const once = (name: BoundName): BoundOption | undefined => {
    const [first, second] = group.bound.filter((bound) => bound.name === name);
    if (second !== undefined) {
      const got = quote(`${first === undefined ? '' : written(first)} ${written(second)}`);
      throw new UsageError(`${second.shown}: expected it once for ${group.text}, got ${got}`);
    }
    return first;
  };
  const label = once('selector');
  const field = once('field-selector');
  const all = once('all');
  const other = label ?? field;
  if (all !== undefined && other !== undefined) {
    throw new UsageError(`${group.text}: expected --all or a selector, got both: ${quote(`--all ${written(other)}`)}`);
  }
  return {
    by: 'selector',
    ...(label && { labelSelector: at(label.shown, () => parseLabelSelector(label.value)) }),
    ...(field && { fieldSelector: at(field.shown, () => parseFieldSelector(field.value)) }),
  };
}

function written(bound: BoundOption): string {
  return bound.name === 'all' ? bound.shown : `${bound.shown} ${bound.value}`;
}

function kindOf(word: string): ApiResource | undefined {
  const preset = presetOf(word);
  return builtInKind(preset === undefined ? word : meaningOf(preset).kind);
}
