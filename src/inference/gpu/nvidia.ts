import type { CardReading } from '../../studio/ports/cards.js';
import { nvidiaQuestion, unknownField } from './nvidia-fields.js';
import { parseNvidiaCards, parseSlowdownC } from './nvidia-parse.js';
import { createProgram } from './run-program.js';

/** What reading a vendor's cards came to. */
export type Readings =
  | { readonly kind: 'cards'; readonly cards: readonly CardReading[] }
  /** No such program: this vendor's driver is not here. */
  | { readonly kind: 'none' }
  /** The driver is here and does not answer as it should. */
  | { readonly kind: 'fault'; readonly fault: CardFault; readonly reason: string };

/**
 * Why the cards could not be read: no answer in time, a driver that refuses, none there, anything
 * else.
 */
export type CardFault = 'hangs' | 'driver' | 'noCards' | 'other';

/** Reads all cards of one maker. */
export interface CardReader {
  read(atMs: number): Promise<Readings>;
}

/** Reads NVIDIA's cards through nvidia-smi, in the words this driver understands. */
export function createNvidiaReader(config: {
  readonly nvidiaSmi: string;
  readonly timeoutMs: number;
}): CardReader {
  const program = createProgram(config.nvidiaSmi, config.timeoutMs);
  const unknown = new Set<string>();
  /** By position; asked once, since it never changes. */
  let slowdownC: readonly (number | undefined)[] | undefined;

  async function read(atMs: number): Promise<Readings> {
    const { fields, asked } = nvidiaQuestion(unknown);
    const query = `--query-gpu=${asked.join(',')}`;
    const answer = await program([query, '--format=csv,noheader,nounits']);
    if (answer.kind === 'missing') return { kind: 'none' };
    if (answer.kind === 'hangs') return { kind: 'fault', fault: 'hangs', reason: 'no answer' };
    if (answer.kind === 'broken')
      return { kind: 'fault', fault: 'other', reason: oneLine(answer.reason) };
    const strange = unknownField(answer.text);
    if (strange && asked.includes(strange)) {
      unknown.add(strange);
      return read(atMs);
    }
    const cards = parseNvidiaCards(answer.text, fields, atMs);
    // One card that fell off the bus makes nvidia-smi fail, and it still tells of the others.
    if (cards.length === 0) return faultIn(answer.text);
    return { kind: 'cards', cards: await withSlowdown(cards) };
  }

  async function withSlowdown(cards: readonly CardReading[]): Promise<readonly CardReading[]> {
    if (!slowdownC || slowdownC.length < cards.length) {
      const answer = await program(['-q', '-d', 'TEMPERATURE']);
      if (answer.kind !== 'answered') return cards;
      const told = parseSlowdownC(answer.text);
      slowdownC = cards.map((_, i) => told[i]);
    }
    const told = slowdownC;
    return cards.map((card, i) => (told[i] === undefined ? card : { ...card, slowdownC: told[i] }));
  }

  return { read };
}

function faultIn(text: string): Readings {
  const reason = oneLine(text) || 'an empty answer';
  if (/no devices were found/i.test(text)) return { kind: 'fault', fault: 'noCards', reason };
  const driver =
    /couldn't communicate with the NVIDIA driver|driver\/library version mismatch|failed to initialize NVML|GPU is lost/i;
  return { kind: 'fault', fault: driver.test(text) ? 'driver' : 'other', reason };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}
