import { readFileSync } from 'node:fs';

/** Whether the kernel sends keep-alive probes on the connections of processes of this machine to a port of loopback. */
export function keepsAlive(port: number): readonly boolean[] {
  // https://docs.kernel.org/networking/proc_net_tcp.html: timer 02 is that of keep-alive, unless data is in flight.
  const to = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[2] === to && row[3] === '01').map((row) => row[5]?.startsWith('02:') === true);
}
