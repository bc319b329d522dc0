import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { CheckpointDamaged } from '../../studio/errors/index.js';

/** A file read by ranges, so that a 900 MB checkpoint never sits in memory. */
export interface ByteSource {
  /** File name without folders, for messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * Read exactly `length` bytes at `offset` into a buffer of its own (aligned for typed arrays).
   * @throws {CheckpointDamaged} the range leaves the file.
   */
  read(offset: number, length: number): Buffer<ArrayBuffer>;
  close(): void;
}

/** Open a file for reading by ranges. @throws the system's error when there is no such file. */
export function openByteSource(file: string): ByteSource {
  const descriptor = openSync(file, 'r');
  const name = path.basename(file);
  const { size } = fstatSync(descriptor);
  return {
    name,
    size,
    read: (offset, length) => {
      // Checked before allocating: a declared size is never trusted with memory.
      if (!(offset >= 0 && length >= 0 && offset + length <= size))
        throw new CheckpointDamaged(name, `bytes ${offset}+${length} lie outside of its ${size}`);
      const buffer = Buffer.from(new ArrayBuffer(length));
      let done = 0;
      while (done < length) {
        const got = readSync(descriptor, buffer, done, length - done, offset + done);
        if (got === 0) throw new CheckpointDamaged(name, 'it became shorter while being read');
        done += got;
      }
      return buffer;
    },
    close: () => closeSync(descriptor),
  };
}
