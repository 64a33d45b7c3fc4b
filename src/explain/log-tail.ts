/** How much of a container's log is shown at most. */
const SHOWN_BYTES = 8 * 1024;

export interface LogTail {
  readonly lines: readonly string[];
  /** What broke the reading off, if anything: there may have been more lines. */
  readonly error: unknown;
}

/**
 * The last lines of a log, eight KiB of it at most: a longer first line is cut at its beginning. Reads no further than
 * `bytesRead`. What is no valid UTF-8 becomes the replacement character.
 */
export async function lastLines(
  body: AsyncIterable<Uint8Array>,
  { lines, bytesRead }: { readonly lines: number; readonly bytesRead: number },
): Promise<LogTail> {
  let error: unknown;
  let kept = Buffer.alloc(0);
  let read = 0;
  let cut = false;
  try {
    for await (const chunk of body) {
      read += chunk.length;
      kept = Buffer.concat([kept, chunk]);
      if (kept.length > SHOWN_BYTES) {
        kept = kept.subarray(kept.length - SHOWN_BYTES);
        cut = true;
      }
      if (read >= bytesRead) break;
    }
  } catch (thrown) {
    error = thrown;
  }
  // A cut may fall inside a character: its rest is not the beginning of one.
  let start = 0;
  while (cut && start < kept.length && ((kept[start] ?? 0) & 0xc0) === 0x80) start += 1;
  const text = new TextDecoder().decode(kept.subarray(start));
  const all = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const shown = text === '' ? [] : all.slice(-lines);
  const [first, ...rest] = shown;
  // Only where the cut fell into the first line shown is that line not whole.
  const isFirstCut = cut && first !== undefined && shown.length === all.length;
  return { lines: isFirstCut ? [`…${first}`, ...rest] : shown, error };
}
