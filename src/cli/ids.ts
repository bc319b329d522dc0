import { createHash, randomBytes } from 'node:crypto';
import type { Clock, IdKind, Ids } from '../studio/ports/basics.js';

const prefixes: Record<IdKind, string> = {
  customer: 'cu',
  photo: 'ph',
  look: 'lk',
  album: 'al',
  order: 'or',
  charge: 'ch',
  refund: 'rf',
  hold: 'ho',
  transfer: 'tr',
  event: 'ev',
};

/** 31 letters and digits that nobody mistakes for another. */
const alphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const randomLength = 16;

/** Ids such as `ph_0mb3x9k2a7q...`: 9 digits of time, 16 of chance (80 bits), base 32. */
export function createIds(clock: Clock): Ids {
  return {
    next: (kind) => {
      const time = clock.now().toString(32).padStart(9, '0');
      return `${prefixes[kind]}_${time}${randomDigits(randomLength)}`;
    },
    code: (length) => {
      let code = '';
      while (code.length < length) {
        for (const byte of randomBytes(length)) {
          // 248 = 8 * 31: beyond it some letters would come more often.
          if (byte < 248 && code.length < length) code += alphabet[byte % alphabet.length];
        }
      }
      return code;
    },
  };
}

function randomDigits(length: number): string {
  return [...randomBytes(length)].map((byte) => (byte & 31).toString(32)).join('');
}

/** SHA-256, hex. Our codes are random and long or short-lived, so no slow hash is needed. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
