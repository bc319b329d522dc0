import { CheckpointDamaged, CheckpointUnsupported } from '../../studio/errors/index.js';
import type { ByteSource } from './byte-source.js';

/** One stored (uncompressed) file of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Position of the first data byte in the archive. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** CRC-32 of the data; 0 where the writer did not compute one. */
  readonly crc: number;
}

interface DirectoryRecord extends Omit<ZipEntry, 'offset'> {
  readonly headerOffset: number;
}

const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const SATURATED16 = 0xffff;
const SATURATED32 = 0xffffffff;
const MAX_ENTRIES = 100_000;
const MAX_NAME_LENGTH = 1000;
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;

/**
 * The central directory of a ZIP archive of stored files, zip64 included. Local headers are only
 * used to find where data starts: PyTorch leaves their sizes zero.
 * @throws {CheckpointDamaged} cut short, overlapping or contradictory.
 * @throws {CheckpointUnsupported} compressed or encrypted entries.
 * @see APPNOTE.TXT 6.3.10, PKWARE
 */
export function readZipDirectory(source: ByteSource): Map<string, ZipEntry> {
  const { count, offset, size } = findDirectory(source);
  const records = parseDirectory(source, source.read(offset, size), count);
  const entries = new Map<string, ZipEntry>();
  for (const record of records) {
    if (entries.has(record.name))
      throw new CheckpointDamaged(source.name, `two entries are named ${record.name}`);
    entries.set(record.name, locate(source, record));
  }
  refuseOverlap(source, [...entries.values()], offset);
  return entries;
}

function findDirectory(source: ByteSource) {
  const tailSize = Math.min(source.size, 22 + SATURATED16);
  const tail = source.read(source.size - tailSize, tailSize);
  const at = findEnd(tail);
  if (at < 0)
    throw new CheckpointDamaged(
      source.name,
      'the end record of the archive is missing (cut short?)',
    );
  const short = {
    count: tail.readUInt16LE(at + 10),
    size: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  const long = findDirectory64(source, tail, at);
  const saturated =
    short.count === SATURATED16 || short.size === SATURATED32 || short.offset === SATURATED32;
  if (saturated && !long)
    throw new CheckpointDamaged(source.name, 'the zip64 end record is missing');
  const agrees =
    !long ||
    ((short.count === SATURATED16 || short.count === long.count) &&
      (short.size === SATURATED32 || short.size === long.size) &&
      (short.offset === SATURATED32 || short.offset === long.offset));
  if (!agrees)
    throw new CheckpointDamaged(source.name, 'the zip64 end record contradicts the other');
  const found = long ?? short;
  if (found.count > MAX_ENTRIES || found.size > MAX_DIRECTORY_BYTES)
    throw new CheckpointDamaged(
      source.name,
      `a directory of ${found.count} entries is implausible`,
    );
  return found;
}

/** Position of the end record: its comment must reach exactly to the end of the file. */
function findEnd(tail: Buffer): number {
  for (let at = tail.length - 22; at >= 0; at--)
    if (tail.readUInt32LE(at) === END && at + 22 + tail.readUInt16LE(at + 20) === tail.length)
      return at;
  return -1;
}

function findDirectory64(source: ByteSource, tail: Buffer, end: number) {
  if (end < 20 || tail.readUInt32LE(end - 20) !== END64_LOCATOR) return undefined;
  const at = safe(source, tail.readBigUInt64LE(end - 12));
  const record = source.read(at, 56);
  if (record.readUInt32LE(0) !== END64)
    throw new CheckpointDamaged(source.name, 'the zip64 locator points at something else');
  return {
    count: safe(source, record.readBigUInt64LE(32)),
    size: safe(source, record.readBigUInt64LE(40)),
    offset: safe(source, record.readBigUInt64LE(48)),
  };
}

function parseDirectory(source: ByteSource, directory: Buffer, count: number): DirectoryRecord[] {
  const records: DirectoryRecord[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL)
      throw new CheckpointDamaged(source.name, `directory entry ${index} is broken`);
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const next = extraEnd + directory.readUInt16LE(at + 32);
    if (next > directory.length)
      throw new CheckpointDamaged(source.name, `directory entry ${index} is cut short`);
    const name = directory.toString('utf8', at + 46, nameEnd);
    refuseOddName(source.name, name);
    refuseUnreadable(source, name, directory, at);
    const sizes = {
      size: directory.readUInt32LE(at + 24),
      stored: directory.readUInt32LE(at + 20),
      headerOffset: directory.readUInt32LE(at + 42),
    };
    applyZip64(source, directory.subarray(nameEnd, extraEnd), sizes);
    if (sizes.size !== sizes.stored)
      throw new CheckpointDamaged(source.name, `${name} declares two sizes`);
    const crc = directory.readUInt32LE(at + 16);
    records.push({ name, size: sizes.size, headerOffset: sizes.headerOffset, crc });
    at = next;
  }
  return records;
}

function refuseUnreadable(source: ByteSource, name: string, directory: Buffer, at: number) {
  const hint = 'save it again with torch.save';
  if (directory.readUInt16LE(at + 8) & 1)
    throw new CheckpointUnsupported(source.name, `${name} is encrypted`, hint);
  const method = directory.readUInt16LE(at + 10);
  if (method !== 0)
    throw new CheckpointUnsupported(source.name, `${name} is compressed (method ${method})`, hint);
}

/** Zip64 extra field (id 1): holds only the values whose short form is saturated, in this order. */
function applyZip64(
  source: ByteSource,
  extra: Buffer,
  sizes: { size: number; stored: number; headerOffset: number },
) {
  const wanted = (['size', 'stored', 'headerOffset'] as const).filter(
    (key) => sizes[key] === SATURATED32,
  );
  if (wanted.length === 0) return;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length || end - at - 4 < wanted.length * 8) break;
    wanted.forEach((key, index) => {
      sizes[key] = safe(source, extra.readBigUInt64LE(at + 4 + index * 8));
    });
    return;
  }
  throw new CheckpointDamaged(source.name, 'a zip64 field is missing or too short');
}

function locate(source: ByteSource, record: DirectoryRecord): ZipEntry {
  const { name, size, crc, headerOffset } = record;
  const header = source.read(headerOffset, 30);
  if (header.readUInt32LE(0) !== LOCAL)
    throw new CheckpointDamaged(source.name, `${name} has no header where the directory says`);
  // The local extra field pads data to 64 bytes and differs from the one in the directory.
  const offset = headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (offset + size > source.size)
    throw new CheckpointDamaged(source.name, `${name} reaches past the end of the file`);
  return { name, offset, size, crc };
}

function refuseOverlap(source: ByteSource, entries: ZipEntry[], directoryOffset: number) {
  let end = 0;
  let previous = 'the start';
  for (const entry of entries.sort((a, b) => a.offset - b.offset || a.size - b.size)) {
    if (entry.offset < end)
      throw new CheckpointDamaged(source.name, `${entry.name} overlaps ${previous}`);
    end = entry.offset + entry.size;
    previous = entry.name;
  }
  if (end > directoryOffset)
    throw new CheckpointDamaged(source.name, `${previous} overlaps the directory`);
}

function safe(source: ByteSource, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new CheckpointDamaged(source.name, `a size of ${value} bytes is impossible`);
  return Number(value);
}

/**
 * Names end up in messages on a terminal, where control characters are commands.
 * @throws {CheckpointDamaged}
 */
export function refuseOddName(file: string, name: string): void {
  if (/\p{Cc}/u.test(name) || name.length > MAX_NAME_LENGTH)
    throw new CheckpointDamaged(file, 'a name in it is too long or holds control characters');
}
