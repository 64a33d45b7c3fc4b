/**
 * Makes a program that starts fast of the chunks of a bundle. Node reads an ES module file by file, asynchronously, and
 * compiles each time anew; here what every wait runs lies in one file of functions, one for each chunk, which
 * src/start.cjs compiles as a script, with V8's compiled code beside it where an image has it.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { init, parse } from 'es-module-lexer';

/** A file of the program. Its name holds a hash of its content, so that no compiled code of an older one fits it. */
export interface Part {
  readonly name: string;
  readonly text: string;
}

export interface Chunk {
  /** As other chunks import it: `./NAME`. */
  readonly name: string;
  /** An ES module. */
  readonly text: string;
  /** Whether every wait needs it: those lie in one file, the others each in its own. */
  readonly where: 'core' | 'own file';
}

/** Gives the files; the core comes first. */
export async function pack(chunks: readonly Chunk[]): Promise<Part[]> {
  await init;
  const functions = chunks.map(({ name, text, where }) => ({ name, where, text: asFunction(name, text) }));
  const core = functions.filter(({ where }) => where === 'core').map(({ text }) => text);
  const own = functions.filter(({ where }) => where === 'own file');
  return [part('core', core.join(',\n')), ...own.map(({ name, text }) => ({ name: fileOf(name), text: script(text) }))];
}

/** Where src/start.cjs looks for a chunk that is not in the core. */
function fileOf(chunk: string): string {
  return `${chunkName(chunk)}.cjs`;
}

function part(name: string, functions: string): Part {
  const text = script(functions);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase();
  return { name: `${name}-${hash}.cjs`, text };
}

/** An expression: the functions of the chunks, by name. */
function script(functions: string): string {
  return `({\n${functions}\n})\n`;
}

/**
 * A chunk as a function that gets what CommonJS modules get. What it imports becomes constants, which is right for what
 * never changes once its module has run, and is less code than esbuild's own way, which keeps up with changes.
 */
function asFunction(name: string, text: string): string {
  const [imports, exports] = parse(text);
  let code = '';
  let at = 0;
  for (const { n: from, ss: begin, se: end, d: dynamic } of imports) {
    code += text.slice(at, begin);
    at = end;
    // import.meta, of which only the address is used.
    if (dynamic === -2) code += 'module';
    else if (from === undefined) throw new Error(`${name}: an import of something that is computed`);
    else if (dynamic >= 0) code += `Promise.resolve().then(()=>require(${JSON.stringify(from)}))`;
    else code += constants(text.slice(begin, end), `require(${JSON.stringify(from)})`);
  }
  code += text.slice(at);
  const given = exports.map(({ n: as, ln: local }) => `exports[${JSON.stringify(as)}]=${local};`).join('');
  code = code.replace(/export\s*\{[^}]*\};?\s*$/, given);
  return `${JSON.stringify(chunkName(name))}(exports,require,module){"use strict";${code.trim()}\n}`;
}

/** `import d,{a as b}from"x"` as constants. Node's own modules are their default export. */
function constants(statement: string, value: string): string {
  const [, , all, byDefault, named] =
    /^import\s*((?:\*\s*as\s+([\w$]+)|([\w$]+))?\s*,?\s*(?:\{([^}]*)\})?)\s*(?:from)?\s*["']/.exec(statement) ?? [];
  const whole = [all, byDefault].filter((each) => each !== undefined).map((each) => `${each}=${value}`);
  const parts = named === undefined ? [] : [`{${named.replaceAll(/\s+as\s+/g, ':')}}=${value}`];
  const made = [...whole, ...parts].join(',');
  return made === '' ? value : `const ${made}`;
}

function chunkName(file: string): string {
  return path.basename(file, path.extname(file));
}
