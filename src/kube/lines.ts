/** Turns the bytes of a watch into lines. Pure: it knows no socket. */
export interface LineDecoder {
  /**
   * Takes the next bytes (they are not kept beyond the next call unless they end in the middle of a line) and gives the
   * lines that they complete, without the line break. Blank lines are left out.
   * @throws LineTooLongError; lines before the one that is too long are given first, and the next call throws.
   */
  push(chunk: Uint8Array): string[];
  /** The rest after the last line break, if there is one: of a watch a line that was cut off. */
  end(): string | undefined;
}

export class LineTooLongError extends Error {
  constructor(maxBytes: number) {
    super(`a line of the answer is longer than ${maxBytes} bytes`);
    this.name = 'LineTooLongError';
  }
}

/** etcd stores 1.5 MiB for an object, and the API server takes requests of 3 MiB: as JSON, nothing honest is longer. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const LINE_FEED = 0x0a;

/**
 * Lines are cut at the byte 0x0A, which in UTF-8 is never part of another character; so each line is decoded whole, and
 * where the network happened to cut the stream does not matter.
 */
export function lineDecoder({ maxBytes = MAX_LINE_BYTES }: { maxBytes?: number } = {}): LineDecoder {
  /** The pieces of the line that is not complete yet, joined only once, when its end has come. */
  let pieces: Uint8Array[] = [];
  let pendingBytes = 0;
  let tooLong: LineTooLongError | undefined;

  function take(piece: Uint8Array): string {
    const line = pieces.length === 0 ? piece : Buffer.concat([...pieces, piece]);
    pieces = [];
    pendingBytes = 0;
    return Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8');
  }

  return {
    push(chunk) {
      if (tooLong !== undefined) throw tooLong;
      const lines: string[] = [];
      let start = 0;
      while (start < chunk.length) {
        const at = chunk.indexOf(LINE_FEED, start);
        const end = at === -1 ? chunk.length : at;
        if (pendingBytes + end - start > maxBytes) {
          tooLong = new LineTooLongError(maxBytes);
          pieces = [];
          if (lines.length === 0) throw tooLong;
          return lines;
        }
        const piece = chunk.subarray(start, end);
        if (at === -1) {
          pieces.push(piece);
          pendingBytes += piece.length;
        } else {
          const line = take(piece);
          if (!isBlank(line)) lines.push(line);
        }
        start = end + 1;
      }
      return lines;
    },
    end() {
      if (tooLong !== undefined) throw tooLong;
      const line = take(new Uint8Array());
      return isBlank(line) ? undefined : line;
    },
  };
}

function isBlank(line: string): boolean {
  return line === '' || line === '\r';
}
