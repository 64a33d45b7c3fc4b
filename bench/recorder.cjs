// Required before a program: as it ends, says on standard error which files it has read.
'use strict';
const fs = require('node:fs');

const files = new Set();
const { readFileSync } = fs;
fs.readFileSync = (file, ...rest) => {
  files.add(String(file));
  return readFileSync(file, ...rest);
};
process.on('exit', () => {
  for (const file of Object.keys(require.cache)) files.add(file);
  files.delete(__filename);
  fs.writeSync(2, `${JSON.stringify([...files])}\n`);
});
