import { createHash, timingSafeEqual } from 'node:crypto';

/** In a time that does not tell how much of it was right. */
export function isBearer(header: string | undefined, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(header ?? ''), hash(`Bearer ${token}`));
}
