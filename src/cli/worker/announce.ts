import { createRedisFleet } from '../../queue/redis-fleet.js';
import type { Shell } from '../shell.js';
import type { Box } from './box.js';

/** How often a box says that it is there, ms. */
const announceEveryMs = 5_000;

/** Say in Redis that the box is there, until stopped. Without Redis nobody is there to hear it. */
export function announce(
  redisUrl: string | null,
  box: Box,
  { now }: Pick<Shell, 'now'>,
): { stop(): Promise<void> } {
  if (!redisUrl) return { stop: async () => {} };
  const fleet = createRedisFleet({ clock: { now } }, { redisUrl });
  const say = () => void fleet.announce(box.report());
  const timer = setInterval(say, announceEveryMs);
  say();
  return {
    stop: async () => {
      clearInterval(timer);
      await fleet.leave(box.worker);
      fleet.close();
    },
  };
}
