/**
 * What commands weigh: modules that each really loads, and for those that stay the resident memory when
 * they are open, the middle one of five starts. The worker gets a Redis of its own, as a box of a fleet
 * has. Linux, with redis-server.
 *
 *   node scripts/bench.mjs weight [--of <folder>]    another built checkout, to compare with
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type CommandRun, loadedModules } from '../tests/support/loaded-modules.js';
import { startRedis } from '../tests/support/redis.js';
import { residentMb } from './resident.js';

const here = path.resolve(__dirname, '../..');
const { values: options } = parseArgs({ options: { of: { type: 'string', default: here } } });
const starts = 5;

async function run(): Promise<void> {
  const root = path.resolve(options.of);
  const photo = path.join(root, 'assets/demo/photographer.jpg');
  const redis = await startRedis({ own: true });
  const apart = { REDIS_URL: redis.url, HUANCAI_STUDIO_URL: 'http://127.0.0.1:9' };
  const commands: [string, Omit<CommandRun, 'root'>][] = [
    ['--help', { args: ['--help'] }],
    ['models list', { args: ['models', 'list'] }],
    ['doctor', { args: ['doctor'] }],
    ['colorize', { args: ['colorize', photo, '-o', '.'] }],
    ['serve', { args: ['serve', '--json'], env: { PORT: '0' }, opensWith: '"type":"open"' }],
    [
      'worker',
      {
        args: ['worker', '--json'],
        env: { ...apart, HUANCAI_WORKER_TOKEN: 'w'.repeat(32) },
        opensWith: '"type":"worker"',
      },
    ],
  ];
  try {
    for (const [name, command] of commands) {
      const { files } = await loadedModules({ root, ...command });
      const packages = files.filter((file) => file.includes('node_modules')).length;
      const memory = command.opensWith ? `  ${await middleMb({ root, ...command })} MB` : '';
      console.log(
        `${name.padEnd(12)} ${String(files.length).padStart(5)} modules, ${packages} of packages${memory}`,
      );
    }
  } finally {
    await redis.stop();
  }
}

async function middleMb(command: CommandRun): Promise<string> {
  const all: number[] = [];
  for (let i = 0; i < starts; i++) {
    const { seen } = await loadedModules({ ...command, list: false, whenOpen: residentMb });
    all.push(seen!);
  }
  return all.sort((a, b) => a - b)[starts >> 1]!.toFixed(0);
}

void run();
