import { runInThisContext } from 'node:vm';
import { expect, test } from 'vitest';
import { pack } from '../../../scripts/pack.ts';

type Functions = Record<string, (exports: object, require: (id: string) => unknown, module: { url: string }) => void>;

/** What a chunk exports, where it gets what it imports from `given`. */
async function exportsOf(text: string, given: Readonly<Record<string, unknown>> = {}): Promise<object> {
  const [core] = await pack([{ name: 'chunk-A.mjs', text, where: 'core' }]);
  const functions = runInThisContext(core?.text ?? '') as Functions;
  const exports = {};
  functions['chunk-A']?.(exports, (id) => given[id], { url: 'file:///here.mjs' });
  return exports;
}

test.for([
  ['names', 'import{a as b,c}from"./x.mjs";var d=b+c;export{d as e};'],
  [
    'one name with line breaks',
    'import {\n  a as b,\n  c\n} from "./x.mjs";\nvar d = b + c;\nexport {\n  d as e\n};\n',
  ],
  ['all names', 'import*as x from"./x.mjs";var d=x.a+x.c;export{d as e};'],
  ['the default', 'import x from"./x.mjs";var d=x.a+x.c;export{d as e};'],
  ['the default and names', 'import x,{c}from"./x.mjs";var d=x.a+c;export{d as e};'],
  ['in the middle', 'var z=1;import{a,c}from"./x.mjs";var d=a+c;export{d as e};'],
  ['a text that looks like it', 'import{a,c}from"./x.mjs";var s=\'import{q}from"q"\',d=s?a+c:0;export{d as e};'],
])('an import of %s', async ([, text = '']) => {
  expect(await exportsOf(text, { './x.mjs': { a: 1, c: 2 } })).toEqual({ e: 3 });
});

test('an import for its own sake runs what is imported, and one of nothing gives nothing', async () => {
  expect(await exportsOf('import"./x.mjs";var a=1;')).toEqual({});
});

test('what is imported later is asked for later', async () => {
  const found = await exportsOf('var load=()=>import("./x.mjs");export{load};', { './x.mjs': { a: 1 } });
  expect(await (found as { load: () => Promise<unknown> }).load()).toEqual({ a: 1 });
});

test('names that are no words, and where the module is', async () => {
  const text = 'var a=import.meta.url;export{a as default,a as"module.exports"};';
  expect(await exportsOf(text)).toEqual({ default: 'file:///here.mjs', 'module.exports': 'file:///here.mjs' });
});

test('a chunk that not every run needs has its own file, and the core the hash of what is in it', async () => {
  const chunk = (name: string, text: string) => ({ name: `${name}.mjs`, text, where: 'core' as const });
  const parts = await pack([chunk('a', 'var a=1;'), { ...chunk('b-HASH', 'var b=1;'), where: 'own file' }]);
  expect(parts.map(({ name }) => name)).toEqual([expect.stringMatching(/^core-[0-9A-F]{8}\.cjs$/), 'b-HASH.cjs']);
  const [other] = await pack([chunk('a', 'var a=2;')]);
  expect(other?.name).not.toBe(parts[0]?.name);
});
