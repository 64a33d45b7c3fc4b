/** Who asked the API server for what: its audit log, read on from where we were. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { AuditEvent } from '../test/cluster/index.ts';

export interface AuditReader {
  /** Requests that have begun since the last call, each once; only of this User-Agent. */
  next(userAgent: RegExp): AuditEvent[];
  close(): void;
}

/** Begins at the end of what is there. */
export function readAudit(file: string): AuditReader {
  const fd = openSync(file, 'r');
  let at = fstatSync(fd).size;
  let rest = '';
  const seen = new Set<string>();
  return {
    next(userAgent) {
      const bytes = Buffer.alloc(fstatSync(fd).size - at);
      at += readSync(fd, bytes, 0, bytes.length, at);
      const lines = (rest + bytes.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      const events = lines
        .filter((line) => line.includes('/namespaces/bench/'))
        .map((line) => JSON.parse(line) as AuditEvent)
        // A watch is told of twice, at its beginning and at its end.
        .filter((event) => userAgent.test(event.userAgent ?? '') && !seen.has(event.auditID));
      for (const { auditID } of events) seen.add(auditID);
      return events;
    },
    close: () => closeSync(fd),
  };
}
