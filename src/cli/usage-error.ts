/**
 * What the user typed cannot be run: the program ends with 2 before anything is asked of a cluster. The message is one
 * line that names the input and what would be right. Text that comes from the user goes into it through `quote` only.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs `read`, and puts the option or variable in front of the message of a UsageError that it throws. */
export function at<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${where}: ${error.message}`);
    throw error;
  }
}

/** C1 controls, line and paragraph separators, and the marks that turn the direction of text. JSON leaves them alone. */
const INVISIBLE = /[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A message with a whole pasted file in it helps nobody. */
const QUOTED_LENGTH = 120;

/** Input as it may stand in a message: on one line, in quotes, every invisible character made visible, cut when long. */
export function quote(input: string): string {
  const shown = input.length > QUOTED_LENGTH ? `${input.slice(0, QUOTED_LENGTH)}...` : input;
  return JSON.stringify(shown).replace(
    INVISIBLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `wait, fail or succeed`. */
export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
