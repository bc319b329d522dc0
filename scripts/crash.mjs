// The crash test at full length: node scripts/crash.mjs [--rounds 40] [--seed n] [--only sqlite|postgres]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
const jest = path.join(root, 'node_modules/jest/bin/jest.js');
const chosen = values.only ? ['-t', values.only === 'sqlite' ? 'SQLite' : 'PostgreSQL'] : [];
const { status } = spawnSync(process.execPath, [jest, 'tests/crash', '--verbose', ...chosen], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    CRASH_ROUNDS: values.rounds,
    ...(values.seed ? { CRASH_SEED: values.seed } : {}),
  },
});
process.exit(status ?? 1);
