// Build: TypeScript to dist/, then the front end (Vite) to dist/web/app.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

function run(packageName, bin, args) {
  const manifest = require.resolve(`${packageName}/package.json`);
  const entry = path.join(path.dirname(manifest), require(manifest).bin[bin]);
  execFileSync(process.execPath, [entry, ...args], { cwd: root, stdio: 'inherit' });
}

// `npm ci --omit=dev` on an already built tree (containers): nothing to build with, nothing to do.
try {
  require.resolve('typescript/package.json');
} catch {
  if (existsSync(path.join(root, 'dist/cli/main.js'))) process.exit(0);
  console.error(
    'huancai: the build needs the development packages; run "npm ci" without --omit=dev',
  );
  process.exit(1);
}

run('typescript', 'tsc', ['-p', 'tsconfig.build.json']);
if (existsSync(path.join(root, 'src/web/app/index.html'))) {
  run('vite', 'vite', ['build', '--config', 'src/web/app/vite.config.mjs']);
}
chmodSync(path.join(root, 'dist/cli/main.js'), 0o755);
