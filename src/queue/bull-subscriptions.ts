import type Bull from 'bull';
import type Redis from 'ioredis';

/** What bull keeps to itself and we have to hold. */
interface Inner {
  _registerEvent(name: string): Promise<unknown>;
  registeredEvents?: Record<string, unknown>;
  readonly closing?: unknown;
}

/** Between two tries, ms. */
const pauseMs = 1_000;

/**
 * Bull subscribes to events in the background, lets go of the promise and keeps a refusal for good: a
 * Redis that wants a password would end the process as if the bug were ours, and a worker would stay deaf
 * after the server has come to its senses. Every subscription is tried until it holds.
 */
export function holdSubscriptions(queue: Bull.Queue, complain: (error: unknown) => void): void {
  const inner = queue as unknown as Inner;
  const register = inner._registerEvent.bind(queue);
  inner._registerEvent = async (name) => {
    while (!inner.closing) {
      try {
        return await register(name);
      } catch (error) {
        if (inner.closing) break;
        complain(error);
        delete inner.registeredEvents?.[name.replace('global:', '')];
        await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
      }
    }
    return undefined;
  };
}

/**
 * Subscribe again after every connection, until it holds. ioredis does so too, once, and lets go of the
 * promise: it must be told not to (`autoResubscribe: false`).
 */
export function keepSubscribed(redis: Redis, complain: (error: unknown) => void): void {
  const channels = new Set<string>();
  const patterns = new Set<string>();
  const subscribe = redis.subscribe.bind(redis) as (...names: string[]) => Promise<unknown>;
  const psubscribe = redis.psubscribe.bind(redis) as (...names: string[]) => Promise<unknown>;
  const remembered =
    (known: Set<string>, call: typeof subscribe) =>
    (...names: string[]): Promise<unknown> => {
      for (const name of names) if (typeof name === 'string') known.add(name);
      return call(...names);
    };
  redis.subscribe = remembered(channels, subscribe) as Redis['subscribe'];
  redis.psubscribe = remembered(patterns, psubscribe) as Redis['psubscribe'];
  const renew = async (): Promise<void> => {
    try {
      if (channels.size > 0) await subscribe(...channels);
      if (patterns.size > 0) await psubscribe(...patterns);
    } catch (error) {
      complain(error);
      setTimeout(() => {
        if (redis.status === 'ready') void renew();
      }, pauseMs).unref();
    }
  };
  redis.on('ready', () => void renew());
}

/**
 * Start a consumer, again and again until it holds: bull keeps a start that failed, and the handler that
 * came with it, for good.
 * @param failed hears why; true: nobody wants it any more.
 */
export async function beginUntilItHolds(
  queue: Bull.Queue,
  begin: () => Promise<void>,
  failed: (error: unknown) => boolean,
): Promise<void> {
  const inner = queue as unknown as { _initializingProcess?: unknown; handlers: object };
  for (;;) {
    try {
      return await begin();
    } catch (error) {
      if (failed(error)) return;
      await new Promise((resolve) => setTimeout(resolve, pauseMs).unref());
      inner._initializingProcess = undefined;
      inner.handlers = {};
    }
  }
}
