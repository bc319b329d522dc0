import type { CardReading } from '../../studio/ports/cards.js';
import type { ResultNote } from '../../studio/ports/colorizer.js';

/**
 * Cards under 6 GB. Their drivers name a little less than what is printed on the box: a GTX 1060
 * 6 GB says 6,078 or 6,144 MiB, a 4 GB card never more than 4,096.
 */
const SMALL_CARD_MIB = 5_800;
/** The longest side a card under 6 GB is given, px. */
const SMALL_CARD_LONGEST_PX = 1_024;

/** How large an input a card is given, and how many at once. */
export interface CardCapacity {
  /** Longest side, px; absent: no bound but the model's own. */
  readonly longestSidePx?: number;
  /** Inferences at once. One on every card: its memory is the model's, and runs would only queue. */
  readonly atOnce: 1;
  /** The bound was measured on this card; otherwise it follows from its memory. */
  readonly measured: boolean;
}

/**
 * From total memory and, where `huancai bench --calibrate` has run, from what was measured.
 * @param measuredPx largest size that ran on this card with this model.
 */
export function capacityOf(
  card: Pick<CardReading, 'memoryTotalMiB'> | undefined,
  measuredPx: number | undefined,
): CardCapacity {
  const total = card?.memoryTotalMiB;
  const small = total !== undefined && total < SMALL_CARD_MIB;
  const bounds = [...(small ? [SMALL_CARD_LONGEST_PX] : []), ...(measuredPx ? [measuredPx] : [])];
  if (bounds.length === 0) return { atOnce: 1, measured: false };
  const longestSidePx = Math.min(...bounds);
  return { longestSidePx, atOnce: 1, measured: longestSidePx === measuredPx };
}

/** Said on a result whose size the card bounded. */
export function cappedNote(card: string, asked: number, used: number): ResultNote {
  return { key: 'inference.sizeCapped', params: { card, asked, used } };
}
