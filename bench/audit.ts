/** Who asked the API server for what: its audit log, read on from where we were. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { AuditEvent } from '../test/cluster/index.ts';

export interface AuditReader {
  /** Requests that have begun since the last call, each once; only of this User-Agent. */
  next(userAgent: RegExp): AuditEvent[];
  close(): void;
}

/**
 * Begins at the end of what is there. Only requests that name this object are told of: a waiter that has ended may have
 * its last line written after another has begun.
 */
export function readAudit(file: string, name: string): AuditReader {
  const fd = openSync(file, 'r');
  const named = new RegExp(`(/|%3D)${name}(\\W|$)`);
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
        .filter(({ requestURI, userAgent: agent = '' }) => named.test(requestURI) && userAgent.test(agent));
      // A watch is told of twice, at its beginning and at its end.
      return events.filter(({ auditID }) => {
        const isNew = !seen.has(auditID);
        seen.add(auditID);
        return isNew;
      });
    },
    close: () => closeSync(fd),
  };
}
