import { setImmediate } from 'node:timers/promises';
import type { CollectionSpec } from '../../../src/kube/collection.ts';
import { fromHttp, type Problem, TransportError } from '../../../src/kube/problem.ts';
import type { Response, Transport, TransportRequest } from '../../../src/kube/transport.ts';
import { JOBS } from '../objects.ts';
import { HandClock } from '../report/support.ts';

/** Jobs, one by its name and those that a selector finds. */
export const NAMED: CollectionSpec = { resource: JOBS, namespace: 'app', name: 'a', mode: 'watch', keep: 'verdict' };
export const SELECTED: CollectionSpec = {
  resource: JOBS,
  namespace: 'app',
  labelSelector: 'x=y',
  mode: 'watch',
  keep: 'verdict',
};

/** Lets everything run on that is not waiting for the clock or for an answer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
}

/** Sleeps until it is moved far enough, or the signal aborts. */
export class SleepingClock extends HandClock {
  /** How long each sleep was to last. */
  readonly slept: number[] = [];

  override sleep(ms = 0, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms);
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const alarm = this.alarm(ms, resolve);
      signal?.addEventListener('abort', () => {
        alarm.cancel();
        resolve();
      });
    });
  }
}

/** One request, and the hand that answers it. */
export class Exchange {
  readonly request: TransportRequest;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Whether its answer was given up before it was read to its end. */
  destroyed = false;
  readonly #headers = Promise.withResolvers<Response>();
  readonly #chunks: (Uint8Array | TransportError | 'end')[] = [];
  #wake: (() => void) | undefined;

  constructor(request: TransportRequest) {
    this.request = request;
    const [path = '', search = ''] = request.path.split('?');
    this.path = path;
    this.query = Object.fromEntries(new URLSearchParams(search));
    request.signal.addEventListener('abort', () => {
      const aborted = new TransportError({ kind: 'unreachable', message: 'aborted', code: 'ABORT_ERR' });
      this.#headers.reject(aborted);
      this.#push(aborted);
    });
  }

  get response(): Promise<Response> {
    return this.#headers.promise;
  }

  /** The answer is this JSON. */
  async answers(json: unknown): Promise<void> {
    await this.says(JSON.stringify(json) ?? '', json);
  }

  /** The answer is this text, and what it comes to where it is read as a whole. */
  async says(text: string, json?: unknown): Promise<void> {
    this.#headers.resolve({ ...this.#stub(), json: async () => json });
    // It may be read piece by piece as well.
    this.#push(Buffer.from(text));
    this.#push('end');
    await settle();
  }

  async refuses(status: number, body: object = {}): Promise<void> {
    await this.fails(fromHttp(status, {}, JSON.stringify({ kind: 'Status', ...body })));
  }

  /** Before its headers, or in the midst of its body. */
  async fails(problem: Problem): Promise<void> {
    const error = new TransportError(problem);
    this.#headers.reject(error);
    this.#push(error);
    await settle();
  }

  async breaks(error: Error): Promise<void> {
    this.#headers.reject(error);
    await settle();
  }

  /** The headers of a watch. */
  async opens(): Promise<void> {
    this.#headers.resolve(this.#stub());
    await settle();
  }

  /** Lines of a watch, in one piece. */
  async sends(...lines: readonly unknown[]): Promise<void> {
    const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
    this.#push(Buffer.from(text));
    await settle();
  }

  /** The server ends the watch in good order. */
  async ends(): Promise<void> {
    this.#push('end');
    await settle();
  }

  #push(chunk: Uint8Array | TransportError | 'end'): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk === 'end') return;
      if (chunk instanceof Error) throw chunk;
      if (chunk !== undefined) {
        yield chunk;
        continue;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  #stub(): Response {
    const destroy = (): void => {
      if (this.destroyed) return;
      this.destroyed = true;
      this.#push(new TransportError({ kind: 'interrupted', message: 'destroyed' }));
    };
    const unread = async (): Promise<never> => {
      throw new Error('a watch is read line by line');
    };
    return { status: 200, headers: {}, body: this.#body(), text: unread, json: unread, destroy };
  }
}

/** An API server that is played by hand. */
export class StandIn implements Transport {
  readonly exchanges: Exchange[] = [];

  request(request: TransportRequest): Promise<Response> {
    const exchange = new Exchange(request);
    this.exchanges.push(exchange);
    return exchange.response;
  }

  close(): void {}

  /** The newest request, of a path that ends so where one is given. */
  last(ending = ''): Exchange {
    const exchange = this.exchanges.findLast(({ path }) => path.endsWith(ending));
    if (exchange === undefined) throw new Error(`nothing was asked for at ${ending}`);
    return exchange;
  }
}

/** A LIST as the API server answers it. */
export function listOf(items: readonly object[], metadata: object = { resourceVersion: '10' }): object {
  return { kind: 'List', metadata, items };
}
