import { limits } from '../studio/limits.js';
import type { PlaceInQueue } from '../studio/ports/queue.js';
import type { Studio } from '../studio/ports/studio.js';

/** Something that can be shown: its name on the wire and how to read it now. */
export interface LiveTopic {
  readonly event: 'photo' | 'order' | 'me';
  /** Same key, same thing: only its newest state is sent. */
  readonly key: string;
  read(): Promise<unknown>;
  /** What was sent last, at another place in the line; undefined: nothing worth telling. */
  moved?(last: unknown, place: PlaceInQueue): unknown;
}

/** A live connection as the pulse sees it. */
export interface Pulsed {
  /** What it shows that may change without an event. */
  pending(): readonly LiveTopic[];
  /** A waiting photo's place; says nothing when it is the one already told. */
  moved(topic: LiveTopic, place: PlaceInQueue): void;
  /** Read it again and send what is new. */
  again(topics: readonly LiveTopic[]): void;
}

/** @returns from `join`: leave. */
export interface Pulse {
  join(one: Pulsed): () => void;
}

/**
 * One clock for all live connections. At each beat the line is looked at once, and each waiting
 * photo's watcher is told from that look; beyond it a fixed number of things is read again, in
 * turn. So what open pages cost does not grow with their number.
 */
export function createPulse(studio: Studio): Pulse {
  const joined = new Set<Pulsed>();
  const turns = { order: 0, photo: 0 };
  let timer: NodeJS.Timeout | undefined;
  let beating = false;

  async function beat(): Promise<void> {
    const all = [...joined].flatMap((one) => one.pending().map((topic) => ({ one, topic })));
    if (all.length === 0) return;
    const photos = all.filter(({ topic }) => topic.event === 'photo');
    if (photos.length > 0) {
      const places = await studio.places();
      for (const { one, topic } of photos) {
        const place = places.get(topic.key);
        if (place) one.moved(topic, place);
      }
    }
    const due = [...inTurn('order'), ...inTurn('photo')];
    for (const one of joined) {
      const mine = due.filter((each) => each.one === one).map((each) => each.topic);
      if (mine.length > 0) one.again(mine);
    }

    function inTurn(event: 'order' | 'photo') {
      const list = all.filter(({ topic }) => topic.event === event);
      const taken = Math.min(list.length, limits.web.liveReadsPerPoll);
      const from = turns[event];
      turns[event] = list.length > 0 ? (from + taken) % list.length : 0;
      return Array.from({ length: taken }, (_, i) => list[(from + i) % list.length]!);
    }
  }

  return {
    join(one) {
      joined.add(one);
      timer ??= setInterval(() => {
        if (beating) return;
        beating = true;
        // The database is away: the next beat tries again.
        beat()
          .catch(() => {})
          .finally(() => {
            beating = false;
          });
      }, limits.web.livePollMs).unref();
      return () => {
        joined.delete(one);
        if (joined.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}
