import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { CheckpointDamaged, CheckpointUnsupported } from '../../studio/errors/index.js';

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

/** Open a file for reading by ranges. @throws {CheckpointUnsupported} no file there to read. */
export function openByteSource(file: string): ByteSource {
  const name = path.basename(file);
  const descriptor = openDescriptor(file, name);
  const status = fstatSync(descriptor);
  if (!status.isFile()) {
    closeSync(descriptor);
    throw new CheckpointUnsupported(name, 'not a file', 'give the path of the weights file itself');
  }
  const { size } = status;
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

function openDescriptor(file: string, name: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointUnsupported(name, `it cannot be opened (${reason})`, 'check the path');
  }
}
