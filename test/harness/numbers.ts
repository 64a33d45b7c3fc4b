import { SetupError } from '../cluster/binaries.ts';

/** The number that an option was given. @throws SetupError, whose message is complete, for anything but a whole one. */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new SetupError(`${option}: expected a whole number, got ${JSON.stringify(text)}`);
}
