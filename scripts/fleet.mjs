// The simulated fleet at full length: node scripts/fleet.mjs [--photos 2000] [--chaos-photos 600]
// [--scale 1] [--seed n] [--only undisturbed|kills]. `--scale 2` makes every card half as fast: on a
// small machine the processes themselves need the processor too.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    photos: { type: 'string', default: '2000' },
    'chaos-photos': { type: 'string', default: '600' },
    scale: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
const jest = path.join(root, 'node_modules/jest/bin/jest.js');
const chosen = values.only ? ['-t', values.only] : [];
const { status } = spawnSync(
  process.execPath,
  [jest, 'tests/fleet/fleet', '--verbose', ...chosen],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      FLEET_PHOTOS: values.photos,
      FLEET_CHAOS_PHOTOS: values['chaos-photos'],
      FLEET_SCALE: values.scale,
      ...(values.seed ? { FLEET_SEED: values.seed } : {}),
    },
  },
);
process.exit(status ?? 1);
