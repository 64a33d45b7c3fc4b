/**
 * Takes the answer to a LIST apart while it comes, so that no more of it than one object is ever held whole. Pure: it
 * knows no socket, and judges nothing: whoever parses the pieces finds what is no JSON.
 */
export interface ItemDecoder {
  /** Takes the next bytes (they may be kept until the next call) and gives the text of each item that they complete. */
  push(chunk: Uint8Array): string[];
  /** All the rest, as text: the list with no items in it. What was not recognised as items is all in there. */
  end(): string;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const ARRAY = 0x5b;
const ARRAY_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

/** What stands before the items' array. A name written in another way is not recognised, and that is no harm. */
const ITEMS_KEY = /(?:^|[^\\])"items"\s*:\s*$/;
/** More than that expression can match, but for white space that no server sends. */
const KEY_BYTES = 64;

/**
 * JSON's structure is ASCII, and no byte of another character in UTF-8 is: so it is found without decoding anything, and
 * where the network happened to cut the stream does not matter.
 */
export function itemDecoder(): ItemDecoder {
  /** Of the item at hand, while there are items, else of the rest. */
  let pieces: Uint8Array[] = [];
  const rest: string[] = [];
  let place: 'before' | 'in items' | 'after' = 'before';
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** Whether a comma came before the item at hand: then there must be one. */
  let another = false;

  function take(last: Uint8Array): string {
    const bytes = pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
    pieces = [];
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  return {
    push(chunk) {
      const items: string[] = [];
      let start = 0;
      const { length } = chunk;
      for (let at = 0; at < length; at += 1) {
        const byte = chunk[at];
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
        } else if (byte === QUOTE) {
          inString = true;
        } else if (byte === OBJECT || byte === ARRAY) {
          depth += 1;
          if (byte === ARRAY && depth === 2 && place === 'before' && isAfterKey(pieces, chunk.subarray(start, at))) {
            rest.push(take(chunk.subarray(start, at + 1)));
            start = at + 1;
            place = 'in items';
          }
        } else if (byte === OBJECT_END || byte === ARRAY_END) {
          depth -= 1;
          if (place === 'in items' && depth === 1) {
            const item = take(chunk.subarray(start, at));
            if (another || item.trim() !== '') items.push(item);
            start = at;
            place = 'after';
          }
        } else if (byte === COMMA && depth === 2 && place === 'in items') {
          items.push(take(chunk.subarray(start, at)));
          start = at + 1;
          another = true;
        }
      }
      if (start < length) pieces.push(chunk.subarray(start));
      return items;
    },
    end() {
      rest.push(take(new Uint8Array()));
      return rest.join('');
    },
  };
}

function isAfterKey(pieces: readonly Uint8Array[], last: Uint8Array): boolean {
  const bytes = Buffer.concat([...pieces, last]);
  return ITEMS_KEY.test(bytes.subarray(-KEY_BYTES).toString('latin1'));
}
