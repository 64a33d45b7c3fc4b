declare const __VERSION__: string | undefined;

/** Put in at build time; run from source there is none, and no file is read for it. */
export const VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : '0.0.0-dev';
