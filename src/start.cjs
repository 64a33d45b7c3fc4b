// Runs the program: scripts/build.ts puts this at its beginning, and scripts/pack.ts says why. The build fills in CORE,
// ENTRY and OLDEST.
'use strict';
// This check runs first, in syntax that every Node knows. Without it, an old Node fails later, as if kube-await had a bug.
const [major, minor] = process.versions.node.split('.').map(Number);
const [oldestMajor, oldestMinor] = OLDEST.split('.').map(Number);
if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
  console.error(`kube-await: Node ${process.versions.node} is too old: expected ${OLDEST} or newer`);
  process.exit(2);
}
const { existsSync, readFileSync } = require('node:fs');
const { Script } = require('node:vm');

/** The functions of chunks, by name, and what those that have run have exported. */
const chunks = {};
const modules = {};

function read(name) {
  const filename = `${__dirname}/${name}.cjs`;
  // Where V8 cannot use what is there (other flags, say) it compiles as if there were nothing.
  const cache = `${filename}.${process.version}-${process.arch}`;
  const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
  // The build writes ASCII only, which is read and held fastest so.
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
  Object.assign(chunks, script.runInThisContext());
}

function load(id) {
  if (!id.startsWith('./')) return require(id);
  const name = id.slice(2).replace(/\.mjs$/, '');
  const known = modules[name];
  if (known !== undefined) return known.exports;
  if (chunks[name] === undefined) read(name);
  const module = {
    exports: {},
    get url() {
      return require('node:url').pathToFileURL(__filename).href;
    },
  };
  modules[name] = module;
  chunks[name](module.exports, load, module);
  return module.exports;
}

read(CORE);
load(ENTRY);
