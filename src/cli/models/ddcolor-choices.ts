import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { chooseDdcolor } from '../../inference/convert/choose-ddcolor.js';
import { firstDevice } from '../cards.js';
import type { Config } from '../config.js';

/**
 * `--model ddcolor`: the network that suits this machine, then the smaller one. Where CUDA is wanted
 * first the card counts, else main memory, and of that what a container is allowed.
 */
export function ddcolorChoices(
  config: Pick<Config, 'inference' | 'gpu'>,
): readonly [string, ...string[]] {
  const best = chooseDdcolor({
    totalMemoryBytes: usableMemoryBytes(),
    cardMemoryBytes: cardMemoryBytes(config),
  });
  return best === 'ddcolor-tiny' ? [best] : [best, 'ddcolor-tiny'];
}

function usableMemoryBytes(): number {
  const total = os.totalmem();
  // Zero or astronomic where nothing is limited.
  const allowed = process.constrainedMemory();
  return allowed > 0 && allowed < total ? allowed : total;
}

/** @returns undefined without CUDA in the settings, without a card, or where its driver is silent. */
function cardMemoryBytes({ inference, gpu }: Pick<Config, 'inference' | 'gpu'>) {
  if (inference.providers[0] !== 'cuda') return undefined;
  const query = ['--query-gpu=memory.total', '--format=csv,noheader,nounits'];
  try {
    const answer = execFileSync(gpu.nvidiaSmi, [...query, `--id=${firstDevice({ inference })}`], {
      encoding: 'utf8',
      timeout: gpu.timeoutMs,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const mebibytes = Number.parseInt(answer, 10);
    return mebibytes > 0 ? mebibytes * 2 ** 20 : undefined;
  } catch {
    return undefined;
  }
}
