import { isRestore, type NewJob } from '../studio/jobs.js';

/**
 * What a photo asks of the box that colours it: `<size px> <model,model>`. Nothing but photos that
 * want an inference asks for anything. 0 px: the model's own size, which fits everywhere.
 */
export function needOf(job: NewJob): string | undefined {
  if (!isRestore(job)) return undefined;
  const { looks } = job.payload;
  const inferences = looks.filter((look) => look.chromaKey === undefined);
  if (inferences.length === 0) return undefined;
  const sizePx = Math.max(...inferences.map((look) => look.sizePx ?? 0));
  const models = [...new Set(inferences.map((look) => look.model))];
  return `${sizePx} ${models.join(',')}`;
}

/** Size everything is measured at, px. */
const unitPx = 512;

/** How much more work a photo is than one at 512 px: inference grows with the area. */
export function needCost(job: NewJob): number {
  const sizePx = Number(needOf(job)?.split(' ')[0] ?? 0);
  return Math.max(1, (sizePx / unitPx) ** 2);
}
