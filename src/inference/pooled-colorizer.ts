import type { Colorizer } from '../studio/ports/colorizer.js';
import type { PoolMember } from './gpu/card-choice.js';
import type { CardPool } from './gpu/card-pool.js';

/** A card with a colouriser of its own. */
export interface ColouringCard extends PoolMember {
  readonly colorizer: Colorizer;
}

/**
 * One colouriser over several cards: each prediction is made by one of them, at the size that it
 * takes. Rendering needs no card.
 * @param cards at least one; they share one renderer.
 */
export function createPooledColorizer(
  pool: CardPool<ColouringCard>,
  cards: readonly [ColouringCard, ...ColouringCard[]],
): Colorizer {
  const [{ colorizer: first }] = cards;
  return {
    inspect: (file) => first.inspect(file),
    predict: async (file, options, context = {}) => {
      const { signal } = context;
      const { answer, notes } = await pool.use(
        ({ colorizer }) => colorizer.predict(file, options, context),
        { ...(signal ? { signal } : {}), seconds: (prediction) => prediction.seconds },
      );
      return { ...answer, notes: [...notes, ...answer.notes] };
    },
    render: (file, chroma, output, options, context) =>
      first.render(file, chroma, output, options, context),
    close: async () => {
      pool.close();
      await Promise.all(cards.map(({ colorizer }) => colorizer.close()));
    },
  };
}
