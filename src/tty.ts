/** Whether a file descriptor is a terminal. Node's module for it is loaded only here: most runs never ask. */
export function isatty(fd: number): boolean {
  return process.getBuiltinModule('node:tty').isatty(fd);
}
