import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '../studio/limits.js';
import type { LiveEvent, Studio } from '../studio/ports/studio.js';
import { TooManyRequests } from './errors.js';
import { createPulse, type LiveTopic, type Pulse } from './live-pulse.js';

/** What one live connection wants to hear. */
export interface LiveRequest {
  /** A customer's id, or of nobody yet the chat's: connections are counted by it. */
  readonly customerId: string;
  /** Sent at once, and again after every reconnection: nothing is missed. Asked once events are heard. */
  first(): Promise<readonly LiveTopic[]>;
  topicOf(event: LiveEvent): LiveTopic | undefined;
  /** Things that may change without an event: places in a line, what other processes settle. */
  pending(): readonly LiveTopic[];
  /** Of whoever is nobody yet: what they want to hear when they have become somebody. */
  next?(): Promise<LiveRequest | undefined>;
}

/** All live connections of this process. */
export interface LiveStreams {
  open(request: FastifyRequest, reply: FastifyReply, live: LiveRequest): FastifyReply;
  /** Whoever listened as nobody is somebody now. */
  arrived(listenerId: string): void;
  closeAll(): void;
}

interface Connection {
  /** Ends the stream and everything that feeds it. */
  stop(): void;
  /** Look whether somebody else is listening now. */
  renew(): void;
}

/**
 * Server-sent events that carry states, not steps. Each line is the newest state of one thing, so
 * a slow reader skips steps instead of filling our memory, and one that comes back (Last-Event-ID
 * or not) is told the whole current state first.
 */
export function createLiveStreams(
  studio: Studio,
  config: { liveConnections: number; liveConnectionsPerCustomer: number },
): LiveStreams {
  const open = new Map<string, Set<Connection>>();
  const pulse = createPulse(studio);
  let count = 0;
  return {
    open(request, reply, live) {
      const mine = open.get(live.customerId) ?? new Set();
      const full = config.liveConnections > 0 && count >= config.liveConnections;
      const greedy =
        config.liveConnectionsPerCustomer > 0 && mine.size >= config.liveConnectionsPerCustomer;
      if (full || greedy) throw new TooManyRequests('connections', 15);
      const stream = startStream(request, reply);
      const connection = runConnection({ studio, pulse }, stream, live);
      mine.add(connection);
      open.set(live.customerId, mine);
      count += 1;
      stream.once('close', () => {
        connection.stop();
        count -= 1;
        mine.delete(connection);
        if (mine.size === 0) open.delete(live.customerId);
      });
      return reply;
    },
    arrived(listenerId) {
      for (const one of open.get(listenerId) ?? []) one.renew();
    },
    closeAll() {
      for (const set of open.values()) for (const one of set) one.stop();
    },
  };
}

/** Through fastify's own sending: its hooks set headers and cookies, its pipe keeps the pace. */
function startStream(request: FastifyRequest, reply: FastifyReply): PassThrough {
  const stream = new PassThrough();
  request.raw.socket.setNoDelay(true);
  reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    // Asks nginx not to hold lines back.
    .header('x-accel-buffering', 'no')
    .send(stream);
  reply.raw.once('close', () => stream.destroy());
  stream.write('retry: 2000\n\n');
  return stream;
}

/** A stream that goes on when nobody becomes somebody. */
function runConnection(
  deps: { studio: Studio; pulse: Pulse },
  stream: PassThrough,
  live: LiveRequest,
): Connection {
  let current = live;
  let leave = runStream(deps, stream, live);
  const beat = setInterval(() => {
    if (!stream.writableNeedDrain) stream.write(': still here\n\n');
    // Another process may have met them.
    renew();
  }, limits.web.heartbeatMs).unref();
  function stop(): void {
    clearInterval(beat);
    leave();
    stream.end();
  }
  function renew(): void {
    const asked = current;
    // The database is away: the next beat asks again.
    const gone = () => undefined;
    void asked.next?.().then((next) => {
      if (!next || current !== asked || stream.writableEnded) return;
      leave();
      current = next;
      leave = runStream(deps, stream, next);
    }, gone);
  }
  stream.on('error', stop);
  return { stop, renew };
}

/** @returns leave: ends everything that feeds the stream. */
function runStream(
  { studio, pulse }: { studio: Studio; pulse: Pulse },
  stream: PassThrough,
  live: LiveRequest,
): () => void {
  const dirty = new Map<string, LiveTopic>();
  const sent = new Map<string, { readonly state: unknown; readonly text: string }>();
  let nextId = 1;
  let stopped = false;
  let running = false;
  let blocked = false;

  const flush = async (): Promise<void> => {
    if (running || blocked || stopped) return;
    running = true;
    while (dirty.size > 0 && !blocked && !stopped) {
      const [key, topic] = dirty.entries().next().value!;
      dirty.delete(key);
      // Deleted meanwhile, or the database is away: the next event or poll tries again.
      const state = await topic.read().catch(() => undefined);
      send(topic, state);
    }
    running = false;
  };
  function send({ key, event }: LiveTopic, state: unknown): void {
    const text = state === undefined ? undefined : JSON.stringify(state);
    if (text === undefined || stopped || sent.get(key)?.text === text) return;
    sent.set(key, { state, text });
    blocked = !stream.write(`id: ${nextId++}\nevent: ${event}\ndata: ${text}\n\n`);
  }
  const again = (topics: readonly LiveTopic[]): void => {
    for (const topic of topics) dirty.set(topic.key, topic);
    void flush();
  };

  const unwatch = studio.watch(live.customerId, (event) => {
    const topic = live.topicOf(event);
    if (topic) again([topic]);
  });
  const leave = pulse.join({
    pending: live.pending,
    again,
    moved: (topic, place) => {
      const last = sent.get(topic.key);
      // A reader that lags behind skips steps; what is about to be read again needs none.
      if (!last || blocked || stopped || dirty.has(topic.key)) return;
      send(topic, topic.moved?.(last.state, place));
    },
  });
  const drained = () => {
    blocked = false;
    void flush();
  };
  stream.on('drain', drained);
  live
    .first()
    .then(again)
    // The database is away: the browser comes back and asks again.
    .catch(() => !stopped && stream.end());
  return () => {
    stopped = true;
    leave();
    unwatch();
    stream.off('drain', drained);
  };
}
