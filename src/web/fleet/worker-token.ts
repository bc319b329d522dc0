import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { WorkerRefused } from '../errors.js';

/** @returns throws {WorkerRefused} unless the request carries the token; takes the same time for all. */
export function createWorkerCheck(token: string): (request: FastifyRequest) => void {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const right = digest(`Bearer ${token}`);
  return (request) => {
    const given = digest(request.headers.authorization ?? '');
    if (!timingSafeEqual(given, right)) throw new WorkerRefused();
  };
}
