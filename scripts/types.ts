/**
 * Writes lib/index.d.ts, the declarations of src/index.ts. They stand by themselves: that file shows types of its own
 * only, so what it imports at run time has no declarations in the package.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
const LIB = path.join(ROOT, 'lib');

const scratch = mkdtempSync(path.join(tmpdir(), 'kube-await-types-'));
try {
  const { status, error } = spawnSync(
    path.join(ROOT, 'node_modules', '.bin', 'tsc'),
    ['-p', 'tsconfig.types.json', '--outDir', scratch],
    { cwd: ROOT, stdio: 'inherit' },
  );
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
  const declarations = readFileSync(path.join(scratch, 'index.d.ts'), 'utf8');
  if (/^\s*import\b|\bimport\(|\bfrom '/m.test(declarations)) {
    console.error('types: src/index.ts shows a type of another file, which the package does not declare');
    process.exit(1);
  }
  mkdirSync(LIB, { recursive: true });
  // Beside, and then renamed: nobody reads half a file.
  const draft = path.join(LIB, `.index.d.ts.${process.pid}`);
  writeFileSync(draft, declarations);
  renameSync(draft, path.join(LIB, 'index.d.ts'));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
