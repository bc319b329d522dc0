import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createCardGate } from '../../../src/inference/gpu/card-gate';
import { createCards } from '../../../src/inference/gpu/cards';
import {
  createInferenceHost,
  type HostEvent,
  type InferenceHost,
} from '../../../src/inference/sessions/index';
import { CardPaused } from '../../../src/studio/errors/index';
import { type EmulatedCards, emulateCards } from '../../emulators/cards/cards';
import { wallClock } from '../../support/quiet';
import { ramp } from '../sessions/host-tools';

const starter = path.resolve(__dirname, '../../../models/starter/starter.onnx');

// Real inferences, on machines that do other things as well.
jest.setTimeout(300_000);

/** The card is emulated; the work that stands for its work is real, in a real process. */
let folder: string;
let box: EmulatedCards;
const closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-card-host-'));
  box = emulateCards(folder, '550-gtx-1650');
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(folder, { recursive: true, force: true });
});

function open(config: { allowCpu?: boolean; whenPaused?: 'wait' | 'refuse'; holdMs?: number }) {
  const rules = { pauseC: 83, resumeBelowC: 10, slowdownMarginC: 10, stopC: 90 };
  const { allowCpu = false, whenPaused = 'refuse', holdMs = 0 } = config;
  const programs = { nvidiaSmi: box.nvidiaSmi, rocmSmi: path.join(folder, 'none') };
  const times = { pollMs: 50, timeoutMs: 10_000, holdMs };
  const cards = createCards({ clock: wallClock }, { ...rules, ...programs, ...times });
  const waits: string[] = [];
  const gate = createCardGate(
    { cards, onWait: (status) => waits.push(status?.reading.name ?? '?') },
    { card: 0, allowCpu, whenPaused },
  );
  const events: HostEvent[] = [];
  let onEvent: (event: HostEvent) => void = () => {};
  const host: InferenceHost = createInferenceHost(
    {
      card: gate,
      onEvent: (event) => {
        events.push(event);
        onEvent(event);
      },
    },
    { providers: ['cpu'], threads: 1, idleUnloadMs: 0, runTimeoutMs: 300_000 },
  );
  closers.push(async () => {
    await host.close();
    await cards.close();
  });
  const listen = (listener: typeof onEvent) => {
    onEvent = listener;
  };
  return { cards, host, events, waits, listen };
}

const keys = (notes: readonly { key: string }[]) => notes.map((note) => note.key);

test('a hot card takes no new work: the processor does it and the result says so', async () => {
  box.heat(85);
  const { host } = open({ allowCpu: true });
  const { notes, provider } = await host.predict(ramp(starter, 64));
  expect(provider).toBe('cpu');
  expect(notes).toEqual([
    {
      key: 'inference.cardHotCpu',
      params: { card: 'NVIDIA GeForce GTX 1650', temperatureC: 85 },
    },
  ]);
  expect(host.mayTakeWork()).toBe(true);
});

test('where the processor may not help, the work is refused for others to take', async () => {
  box.heat(85);
  const { host } = open({});
  await expect(host.predict(ramp(starter, 64))).rejects.toThrow(CardPaused);
  expect(host.mayTakeWork()).toBe(false);
});

test('what runs when the card reaches the stop line is broken off, and nothing is lost', async () => {
  const { host, events, listen } = open({ allowCpu: true });
  listen((event) => {
    if (event.name === 'loaded') box.heat(94);
  });
  // Long enough on one thread for many polls.
  const { notes, widthPx } = await host.predict(ramp(starter, 1024));
  expect(widthPx).toBe(1024);
  expect(keys(notes)).toEqual(['inference.cardStopped', 'inference.cardHotCpu']);
  const stopped = events.findIndex((event) => event.name === 'cardStopped');
  expect(events[stopped]).toMatchObject({ card: 'NVIDIA GeForce GTX 1650', temperatureC: 94 });
  // Its process was ended there and then, and another one began.
  expect(events.slice(stopped).map((event) => event.name)).toEqual([
    ...['cardStopped', 'exited', 'started', 'loading', 'loaded'],
  ]);
  expect(host.status().restarts).toBe(0);
});

test('the same without the processor: the work goes back', async () => {
  const { host, events, listen } = open({});
  listen((event) => {
    if (event.name === 'loaded') box.heat(94);
  });
  await expect(host.predict(ramp(starter, 1024))).rejects.toMatchObject({
    code: 'CARD_PAUSED',
    retry: 'later',
    params: { temperatureC: 94 },
  });
  expect(events.map((event) => event.name)).toContain('cardStopped');
});

test('a command waits until the card is cool, and is told once', async () => {
  box.heat(85);
  const { host, waits, cards } = open({ whenPaused: 'wait' });
  const seen: string[] = [];
  cards.onReading(([card]) => {
    seen.push(card!.state);
    if (seen.length === 4) box.heat(60);
  });
  const { notes } = await host.predict(ramp(starter, 64));
  expect(keys(notes)).toEqual(['inference.cardWaited']);
  expect(waits).toEqual(['NVIDIA GeForce GTX 1650']);
  expect(seen.slice(0, 4)).toEqual(['paused', 'paused', 'paused', 'paused']);
});

test('a wait can be given up, and closing ends it', async () => {
  box.heat(85);
  const { host } = open({ whenPaused: 'wait' });
  const giveUp = new AbortController();
  const first = host.predict(ramp(starter, 64), { signal: giveUp.signal });
  const second = host.predict(ramp(starter, 64));
  const both = Promise.allSettled([first, second]);
  giveUp.abort();
  await host.close();
  for (const one of await both) expect(one.status).toBe('rejected');
});
