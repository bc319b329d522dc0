import { createRedisFleet } from '../../queue/redis-fleet.js';
import type { SeenBox } from '../../studio/ports/fleet.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { Translate } from '../messages.js';
import { type GlobalOptions, openShell } from '../open-shell.js';

/** `huancai workers`: the boxes that are there, what they can do and how they do. */
export async function listWorkers(options: GlobalOptions): Promise<ExitCode> {
  const { config, output, t, now } = openShell(options);
  const { redisUrl } = config.queue;
  if (!redisUrl) {
    output.line(t('workers.noRedis'));
    return exitCodes.done;
  }
  const fleet = createRedisFleet({ clock: { now } }, { redisUrl });
  try {
    const boxes = await fleet.list();
    for (const box of boxes) {
      output.record({ type: 'worker', ...box });
      for (const text of lines(box, t, now())) output.line(text);
    }
    if (boxes.length === 0) output.line(t('workers.none'));
    return exitCodes.done;
  } finally {
    fleet.close();
  }
}

function lines(box: SeenBox, t: Translate, nowMs: number): string[] {
  const { worker, seconds, maxSizePx, photosDone, models, without = [], blobs } = box;
  const head = t('workers.line', {
    ...{ worker, photosDone, blobs, version: box.version },
    state: t(`workers.state.${box.state}`),
    speed: seconds === undefined ? '?' : seconds.toFixed(2),
    size: maxSizePx ?? '-',
    ageSeconds: Math.max(0, Math.round((nowMs - box.seenMs) / 1000)),
  });
  const cards = box.cards.map(({ name, state, temperatureC, memoryTotalMiB }) =>
    t('workers.card', {
      ...{ name, state },
      temperatureC: temperatureC ?? '?',
      memoryMiB: memoryTotalMiB ?? '?',
    }),
  );
  const missing = without.length > 0 ? [t('workers.without', { models: without.join(', ') })] : [];
  return [head, ...cards, t('workers.models', { models: models.join(', ') }), ...missing];
}
