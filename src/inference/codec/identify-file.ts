import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import path from 'node:path';
import { PhotoUnreadable } from '../../studio/errors/index.js';
import { HEAD_BYTES, isReadable, type SniffedFormat, sniffFormat } from './formats.js';
import { readTiffDirectories, type TiffDirectory } from './tiff-directory.js';
import { translateReadError } from './translate-error.js';

/** What a file is, before any decoder has seen it. */
export interface FileIdentity {
  readonly format: SniffedFormat | undefined;
  readonly bytes: number;
  /** The first bytes. */
  readonly head: Buffer;
  /** Its pictures; empty for anything but a TIFF. */
  readonly directories: readonly TiffDirectory[];
}

/** Photometric interpretations of sensor data: a mosaic, and one that was only interpolated. */
const CFA = 32_803;
const LINEAR_RAW = 34_892;

/** TIFF's structure, but a camera's data: what their own programs call them. */
const RAW_EXTENSIONS: Readonly<Record<string, SniffedFormat>> = {
  '.dng': 'dng',
  '.nef': 'nef',
  '.nrw': 'nef',
  '.cr2': 'cr2',
  '.arw': 'arw',
  '.sr2': 'arw',
  '.srf': 'arw',
  '.pef': 'pef',
  '.srw': 'srw',
  '.3fr': 'raw',
  '.dcr': 'raw',
  '.erf': 'raw',
  '.fff': 'raw',
  '.iiq': 'raw',
  '.k25': 'raw',
  '.kdc': 'raw',
  '.mef': 'raw',
  '.mos': 'raw',
  '.rwl': 'raw',
};

/**
 * Opens what may hang nobody: a file, not a pipe, a device or a folder. The kind is asked before and
 * after, and the opening itself never waits, so that a pipe put there in between harms nothing.
 * @throws {PhotoUnreadable}
 */
export async function openFile(file: string): Promise<{ handle: FileHandle; facts: Stats }> {
  try {
    refuseSpecial(await stat(file));
    const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const facts = await handle.stat();
      refuseSpecial(facts);
      return { handle, facts };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw translateReadError(error);
  }
}

function refuseSpecial(facts: Stats): void {
  if (facts.isFile()) return;
  if (facts.isDirectory()) throw new PhotoUnreadable('it is a folder', undefined, 'folder');
  throw new PhotoUnreadable('it is not a file', undefined, 'notFile');
}

/**
 * What a file is by its content. The name decides one thing only: of TIFFs that say nothing of it
 * themselves, which are a camera's raw data.
 * @throws {PhotoUnreadable}
 */
export async function identifyFile(file: string): Promise<FileIdentity> {
  const { handle, facts } = await openFile(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    const format = sniffFormat(head);
    if (format !== 'tiff') return { format, head, bytes: facts.size, directories: [] };
    const directories = await readTiffDirectories((at, count) => readBytes(handle, at, count));
    return { format: rawOf(directories, file) ?? format, head, bytes: facts.size, directories };
  } catch (error) {
    throw translateReadError(error);
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: FileHandle, at: number, count: number): Promise<Buffer> {
  const buffer = Buffer.alloc(count);
  const { bytesRead } = await handle.read(buffer, 0, count, at);
  if (bytesRead === 0) throw new RangeError('beyond the end of the file');
  return buffer;
}

/** Whether the engine reads such files. */
export const mayRead = ({ format }: FileIdentity): boolean =>
  format !== undefined && isReadable(format);

function rawOf(directories: readonly TiffDirectory[], file: string): SniffedFormat | undefined {
  if (directories.some(({ isDng }) => isDng)) return 'dng';
  const named = RAW_EXTENSIONS[path.extname(file).toLowerCase()];
  if (named) return named;
  const sensor = directories.find(
    ({ photometric }) => photometric === CFA || photometric === LINEAR_RAW,
  );
  if (!sensor) return undefined;
  const make = directories.map((one) => one.make).join(' ');
  if (/nikon/i.test(make)) return 'nef';
  if (/sony/i.test(make)) return 'arw';
  if (/pentax/i.test(make)) return 'pef';
  return /samsung/i.test(make) ? 'srw' : 'raw';
}
