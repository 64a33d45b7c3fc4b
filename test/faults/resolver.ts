/**
 * Loaded into a program under test before its own code: a name server that fails for a while. The one of the machine
 * cannot be made to without being root. TEST_RESOLVER names a file with what it is to say, and until when.
 */
import dns, { type LookupOptions } from 'node:dns';
import { readFileSync } from 'node:fs';

const real = dns.lookup;
const NAME = 'api.test';

type Callback = (error: NodeJS.ErrnoException | null, ...found: never[]) => void;

function lookup(name: string, options: LookupOptions, callback: Callback): void {
  if (name !== NAME) {
    real(name, options, callback as never);
    return;
  }
  const { code, untilMs } = JSON.parse(readFileSync(process.env.TEST_RESOLVER ?? '', 'utf8')) as Answer;
  if (Date.now() >= untilMs) {
    real('127.0.0.1', options, callback as never);
    return;
  }
  const error = Object.assign(new Error(`getaddrinfo ${code} ${name}`), {
    code,
    syscall: 'getaddrinfo',
    hostname: name,
  });
  setImmediate(() => callback(error));
}

/** Until then, by the clock of the machine, in milliseconds, a lookup fails with this code. */
export interface Answer {
  readonly code: string;
  readonly untilMs: number;
}

dns.lookup = lookup as unknown as typeof dns.lookup;
