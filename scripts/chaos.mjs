// The chaos test at full length: node scripts/chaos.mjs [--orders 1000] [--seed n]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { orders: { type: 'string', default: '1000' }, seed: { type: 'string' } },
});
const jest = path.join(root, 'node_modules/jest/bin/jest.js');
const { status } = spawnSync(process.execPath, [jest, 'tests/chaos', '--verbose'], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    CHAOS_ORDERS: values.orders,
    ...(values.seed ? { CHAOS_SEED: values.seed } : {}),
  },
});
process.exit(status ?? 1);
