// Required before a program: as it ends, says on standard error which files of JavaScript it has loaded.
'use strict';
const { registerHooks } = require('node:module');
const { writeSync } = require('node:fs');
const { fileURLToPath } = require('node:url');

const files = new Set();
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) files.add(fileURLToPath(url));
    return next(url, context);
  },
});
process.on('exit', () => {
  for (const file of Object.keys(require.cache)) files.add(file);
  files.delete(__filename);
  writeSync(2, `${JSON.stringify([...files])}\n`);
});
