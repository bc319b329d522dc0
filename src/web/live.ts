import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '../studio/limits.js';
import type { LiveEvent, Studio } from '../studio/ports/studio.js';
import { TooManyRequests } from './errors.js';
import { createPulse, type LiveTopic, type Pulse } from './live-pulse.js';

/** What one live connection wants to hear. */
export interface LiveRequest {
  readonly customerId: string;
  /** Sent at once, and again after every reconnection: nothing is missed. Asked once events are heard. */
  first(): Promise<readonly LiveTopic[]>;
  topicOf(event: LiveEvent): LiveTopic | undefined;
  /** Things that may change without an event: places in a line, what other processes settle. */
  pending(): readonly LiveTopic[];
}

/** All live connections of this process. */
export interface LiveStreams {
  open(request: FastifyRequest, reply: FastifyReply, live: LiveRequest): FastifyReply;
  closeAll(): void;
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
  const open = new Map<string, Set<() => void>>();
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
      const stop = runStream({ studio, pulse }, stream, live);
      mine.add(stop);
      open.set(live.customerId, mine);
      count += 1;
      stream.once('close', () => {
        stop();
        count -= 1;
        mine.delete(stop);
        if (mine.size === 0) open.delete(live.customerId);
      });
      return reply;
    },
    closeAll() {
      for (const set of open.values()) for (const stop of set) stop();
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

/** @returns stop: ends the stream and everything that feeds it. */
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
  const heartbeat = setInterval(() => {
    if (!blocked) stream.write(': still here\n\n');
  }, limits.web.heartbeatMs).unref();
  stream.on('drain', () => {
    blocked = false;
    void flush();
  });
  stream.on('error', () => stop());
  function stop(): void {
    if (stopped) return;
    stopped = true;
    leave();
    clearInterval(heartbeat);
    unwatch();
    stream.end();
  }
  live
    .first()
    .then(again)
    // The database is away: the browser comes back and asks again.
    .catch(() => stop());
  return stop;
}
