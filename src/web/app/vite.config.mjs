import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Two pages: the studio and the pay page. Everything they need is built in; nothing is inline. */
export default {
  root: here,
  base: '/',
  publicDir: path.join(here, 'public'),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: path.resolve(here, '../../../dist/web/app'),
    emptyOutDir: true,
    assetsDir: 'assets',
    // Inlined assets would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: ['es2022', 'safari15'],
    rolldownOptions: {
      input: { index: path.join(here, 'index.html'), pay: path.join(here, 'pay.html') },
    },
  },
  logLevel: 'warn',
};
