import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebConfig } from './dependencies.js';
import { TooManyRequests } from './errors.js';
import { cookieIdentity } from './visitor.js';

/** Each throws a 429 with Retry-After when it is too much. */
export interface RateLimits {
  /** Every request: per address and per cookie. */
  request(request: FastifyRequest): Promise<void>;
  upload(request: FastifyRequest): Promise<void>;
  newCustomer(request: FastifyRequest): Promise<void>;
  /** Trying codes: whoever types is slow, whoever guesses is not. */
  guess(request: FastifyRequest): Promise<void>;
  /** Wrong tokens for `/metrics`: a scraper that is set up wrongly costs nobody their codes. */
  metrics(request: FastifyRequest): Promise<void>;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;
const guessesPerMinute = 10;

/**
 * Limits of this process, in memory (@fastify/rate-limit). Addresses on this machine are free: the
 * operator's own scripts, and there is nobody else to be fair to.
 */
export function createRateLimits(app: FastifyInstance, config: WebConfig): RateLimits {
  const check = (
    what: TooManyRequests['what'],
    max: number,
    timeWindow: number,
    key: (request: FastifyRequest) => string | undefined,
  ) => {
    const limiter = app.createRateLimit({
      max,
      timeWindow,
      keyGenerator: (request: FastifyRequest) => key(request) ?? '',
    });
    return async (request: FastifyRequest): Promise<void> => {
      if (max === 0 || key(request) === undefined) return;
      const result = await limiter(request);
      if (!result.isAllowed && result.isExceeded) {
        throw new TooManyRequests(what, Math.max(1, result.ttlInSeconds));
      }
    };
  };
  const byAddress = check('requests', config.requestsPerMinutePerAddress, minuteMs, foreignAddress);
  const byCookie = check('requests', config.requestsPerMinutePerCustomer, minuteMs, cookieIdentity);
  return {
    request: async (request) => {
      await byAddress(request);
      await byCookie(request);
    },
    upload: check(
      'uploads',
      config.uploadsPerMinutePerCustomer,
      minuteMs,
      (request) => cookieIdentity(request) ?? foreignAddress(request),
    ),
    newCustomer: check('customers', config.newCustomersPerHourPerAddress, hourMs, foreignAddress),
    guess: check('requests', guessesPerMinute, minuteMs, (request) => request.ip),
    metrics: check('requests', guessesPerMinute, minuteMs, (request) => request.ip),
  };
}

/** Behind a proxy that we were not told to trust, every address is the proxy's: not free then. */
function foreignAddress(request: FastifyRequest): string | undefined {
  const proxied = request.headers['x-forwarded-for'] ?? request.headers['forwarded'];
  const local = /^(127\.|::1$|::ffff:127\.)/.test(request.ip);
  return local && proxied === undefined ? undefined : request.ip;
}
