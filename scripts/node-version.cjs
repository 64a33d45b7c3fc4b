/** Stops a script of package.json with one line where its Node cannot run TypeScript, since Node itself prints a stack. */
'use strict';
if (!process.features.typescript) {
  console.error(
    `kube-await: Node ${process.versions.node} cannot run TypeScript: expected 22.18 or newer. ` +
      '`npm ci` installs one for `npm run`, unless install scripts are disabled.',
  );
  process.exit(2);
}
