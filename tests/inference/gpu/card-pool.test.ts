import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createCardGate } from '../../../src/inference/gpu/card-gate';
import {
  type CardPool,
  createCardPool,
  type LeftOutReason,
} from '../../../src/inference/gpu/card-pool';
import { createCards } from '../../../src/inference/gpu/cards';
import {
  type Colorizer,
  createColorizer,
  createInferenceHost,
  createRenderer,
  type HostEvent,
} from '../../../src/inference/index';
import { type ColouringCard, createPooledColorizer } from '../../../src/inference/pooled-colorizer';
import { Cancelled, InferenceFailed } from '../../../src/studio/errors/index';
import { limits } from '../../../src/studio/limits';
import { type EmulatedCards, emulateCards } from '../../emulators/cards/cards';
import { wallClock } from '../../support/quiet';

const starter = path.resolve(__dirname, '../../../models/starter/starter.onnx');
const photo = path.resolve(__dirname, '../../fixtures/photos/chelsea.jpg');

// Real inferences, in one real process for each card.
jest.setTimeout(300_000);

let folder: string;
let box: EmulatedCards;
const closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-card-pool-'));
  box = emulateCards(folder, '470-two-cards');
  box.set(({ cards }) => {
    cards[0]!['clocks_throttle_reasons.sw_thermal_slowdown'] = 'Not Active';
  });
  box.heat(60, 0);
  box.heat(60, 1);
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(folder, { recursive: true, force: true });
});

interface Card extends ColouringCard {
  readonly id: number;
  readonly events: HostEvent[];
}

/** What happens to a card's process, as a test wants to hear it. */
type Hear = (event: HostEvent, card: number) => void;

function open({ allowCpu = false, hear }: { allowCpu?: boolean; hear?: Hear } = {}) {
  const rules = { pauseC: 83, resumeBelowC: 10, slowdownMarginC: 10, stopC: 90, holdMs: 0 };
  const programs = { nvidiaSmi: box.nvidiaSmi, rocmSmi: path.join(folder, 'none') };
  const cards = createCards(
    { clock: wallClock },
    { ...rules, ...programs, pollMs: 50, timeoutMs: 10_000 },
  );
  const renderer = createRenderer({ limits: limits.photo, threads: 1 });
  const all: Card[] = [];
  for (const id of [0, 1]) {
    const onCpu = () => allowCpu && all.every((card) => !card.cardMayWork());
    const gate = createCardGate({ cards }, { card: id, allowCpu: onCpu, whenPaused: 'refuse' });
    const events: HostEvent[] = [];
    const onEvent = (event: HostEvent) => {
      events.push(event);
      hear?.(event, id);
    };
    const host = createInferenceHost(
      { card: gate, onEvent },
      {
        ...{ providers: ['cpu'], threads: 1, idleUnloadMs: 0, runTimeoutMs: 300_000 },
        ...{ restartBackoffMs: 10, maxRestarts: 3 },
      },
    );
    const resolveModel = async (model: string) => ({ id: model, file: starter, sizePx: 64 });
    const colorizer = createColorizer({ host, renderer, resolveModel }, { limits: limits.photo });
    all.push({
      ...{ id, events, colorizer, status: () => gate.status() },
      cardMayWork: () => gate.cardMayWork(),
      mayTakeWork: () => host.mayTakeWork(),
      fellBack: () => host.fellBack(),
    });
  }
  const waits: string[][] = [];
  const leftOut: [number, LeftOutReason][] = [];
  const pool: CardPool<Card> = createCardPool<Card>(
    {
      cards,
      onWait: (resting) => waits.push(resting.map(({ reading }) => reading.name)),
    },
    all,
    { onLeftOut: (card, reason) => leftOut.push([card.id, reason]) },
  );
  const colorizer = createPooledColorizer(pool, [all[0]!, all[1]!]);
  closers.push(async () => {
    await colorizer.close();
    await cards.close();
  });
  return { cards, all, pool, colorizer, waits, leftOut };
}

const predict = (colorizer: Colorizer, sizePx = 64, signal?: AbortSignal) =>
  colorizer.predict(photo, { model: 'starter', sizePx }, signal ? { signal } : {});
const loads = (card: Card) => card.events.filter((event) => event.name === 'loaded').length;
const keys = (notes: readonly { key: string }[]) => notes.map((note) => note.key);

test('both cards work, and whichever does it gives the same colours', async () => {
  const { colorizer, all } = open();
  const made = await Promise.all(Array.from({ length: 6 }, () => predict(colorizer)));
  expect(all.map(loads)).toEqual([1, 1]);
  for (const one of made) {
    expect(one.chroma.ab).toEqual(made[0]!.chroma.ab);
    expect(one.notes).toEqual(made[0]!.notes);
  }
});

test('a hot card gets none, the other goes on; cooled, it works again', async () => {
  box.heat(86, 0);
  const { colorizer, all, cards, waits } = open();
  await cards.start();
  for (const one of await Promise.all([1, 2, 3].map(() => predict(colorizer))))
    expect(keys(one.notes)).toEqual([]);
  expect(all.map(loads)).toEqual([0, 1]);
  expect(waits).toEqual([]);
  box.heat(60, 0);
  await until(cards, () => all[0]!.cardMayWork());
  await Promise.all([1, 2, 3].map(() => predict(colorizer)));
  expect(all.map(loads)).toEqual([1, 1]);
});

test('all hot: said once, and the first that has cooled goes on', async () => {
  box.heat(86, 0);
  box.heat(87, 1);
  const { colorizer, all, cards, waits } = open();
  await cards.start();
  const both = Promise.all([predict(colorizer), predict(colorizer)]);
  await polls(cards, 4);
  expect(all.map(loads)).toEqual([0, 0]);
  box.heat(60, 1);
  for (const one of await both) expect(keys(one.notes)).toEqual(['inference.cardWaited']);
  expect(all.map(loads)).toEqual([0, 1]);
  expect(waits).toEqual([['NVIDIA GeForce GTX 1060 6GB', 'NVIDIA GeForce GTX 1050 Ti']]);
});

test('all hot where the processor may help: it does, in one process', async () => {
  box.heat(86, 0);
  box.heat(87, 1);
  const { colorizer, all, cards, waits } = open({ allowCpu: true });
  await cards.start();
  for (const one of await Promise.all([predict(colorizer), predict(colorizer)]))
    expect(keys(one.notes)).toEqual(['inference.cardHotCpu']);
  expect(all.map(loads)).toEqual([1, 0]);
  expect(waits).toEqual([]);
});

test('a card that gets too hot with a photo in its hands: the other one does it, which is said', async () => {
  const hear: Hear = (event, card) => {
    if (card === 0 && event.name === 'loaded') box.heat(94, 0);
  };
  const { colorizer, all } = open({ hear });
  const { notes, inputWidthPx } = await predict(colorizer, 1024);
  expect(inputWidthPx).toBe(1024);
  expect(notes).toContainEqual({
    key: 'inference.cardMoved',
    params: { card: 'NVIDIA GeForce GTX 1060 6GB', temperatureC: 94 },
  });
  expect(all.map(loads)).toEqual([1, 1]);
});

test('a card whose process keeps dying is left out, and no photo is lost', async () => {
  const hear: Hear = (event, card) => {
    if (card === 0 && event.name === 'started') process.kill(event.pid, 'SIGSEGV');
  };
  const { colorizer, leftOut, all } = open({ hear });
  const made = [];
  for (let i = 0; i < 4; i++) made.push(await predict(colorizer));
  expect(leftOut).toEqual([[0, 'died']]);
  expect(all[0]!.events.filter((event) => event.name === 'started').length).toBeGreaterThan(1);
  expect(made.map(({ notes }) => keys(notes))).toEqual([
    ...[['inference.cardFailed'], ['inference.cardFailed']],
    ...[[], []],
  ]);
});

test('what fails on every card is its own fault: no card is left out', async () => {
  const hear: Hear = (event) => {
    if (event.name === 'started') process.kill(event.pid, 'SIGSEGV');
  };
  const { colorizer, leftOut } = open({ hear });
  await expect(predict(colorizer)).rejects.toBeInstanceOf(InferenceFailed);
  expect(leftOut).toEqual([]);
});

test('a wait can be given up, and closing ends it', async () => {
  box.heat(86, 0);
  box.heat(86, 1);
  const { colorizer, cards, pool } = open();
  await cards.start();
  const giveUp = new AbortController();
  const waiting = [predict(colorizer, 64, giveUp.signal), predict(colorizer)];
  const ended = Promise.allSettled(waiting);
  giveUp.abort();
  await expect(waiting[0]).rejects.toBeInstanceOf(Cancelled);
  pool.close();
  for (const one of await ended)
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } });
});

/** Resolves after so many polls. */
function polls({ onReading }: ReturnType<typeof createCards>, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const stop = onReading(() => {
      left -= 1;
      if (left > 0) return;
      stop();
      resolve();
    });
  });
}

async function until(cards: ReturnType<typeof createCards>, is: () => boolean): Promise<void> {
  while (!is()) await polls(cards, 1);
}
