import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { systemCodeOf } from '../studio/errors/base.js';

/**
 * Read a random key, made at first start, readable by its owner only. Two processes starting at
 * once agree: only one can create the file.
 * @returns 64 hex digits.
 */
export function readOrCreateKey(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    const handle = openSync(file, 'wx', 0o600);
    writeSync(handle, randomBytes(32).toString('hex'));
    closeSync(handle);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
  chmodSync(file, 0o600);
  const key = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(key)) {
    throw new Error(`${file} is damaged; delete it (everybody's cookie then ends)`);
  }
  return key;
}
