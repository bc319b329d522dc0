import { type Frame, nextMarker, type Part, walkScan } from './jpeg-scan.js';

/** How much of a JPEG is not there. */
export interface JpegDamage {
  /** Share of the rows, 0..1, that are missing or not what was stored. */
  readonly missingRows: number;
  /** Share of the rows, 0..1, behind which there is nothing at all; 1: all rows have something. */
  readonly emptyFrom: number;
  /** All rows are there, but not the refinements that would have followed (progressive only). */
  readonly coarse: boolean;
  /** Bytes that are of use; what follows is nothing, or worse. */
  readonly usableBytes: number;
}

const [EOI, SOS, DHT, DRI] = [0xd9, 0xda, 0xc4, 0xdd];
/** Baseline, extended and progressive Huffman coding; nobody writes the others. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
const OTHER_FRAMES: ReadonlySet<number> = new Set([
  ...[0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf],
]);
/** A lost sector has 512 bytes; a flat sky of a thrifty coder may be zeros too, but comes out even. */
const LOST_BYTES = 256;
/** What a broken copy fills the end with. */
const PADDING_BYTES = 32;
const ZEROS = Buffer.alloc(LOST_BYTES);

/**
 * Whether a file shows marks of damage, so that it is worth walking through: no end mark, or a hole.
 * Cameras put films behind their pictures: those are looked at in vain.
 */
export function looksDamaged(bytes: Buffer): boolean {
  const { length } = bytes;
  return bytes[length - 2] !== 0xff || bytes[length - 1] !== EOI || bytes.includes(ZEROS);
}

/**
 * The damage of a JPEG, by walking through its codes: decoders fill up what is missing and say at
 * most that something was wrong.
 * @returns undefined: all is there, or the coding is one that is not looked into
 * @see ITU-T T.81, B.2
 */
export function findJpegDamage(bytes: Buffer): JpegDamage | undefined {
  const limit = bytes.length - paddingOf(bytes);
  const suspects = holesIn(bytes.subarray(0, limit));
  const tables = new Map<number, Uint16Array>();
  let frame: Frame | undefined;
  let restartInterval = 0;
  let missingRows = 0;
  let scans = 0;
  let emptyFrom = 1;
  let at = 2;
  const damage = (coarse: boolean): JpegDamage => ({
    ...{ missingRows, emptyFrom, coarse },
    usableBytes: limit,
  });
  for (;;) {
    const found = nextMarker(bytes, at, limit);
    // The end without its mark. A sequential picture is whole after its scan.
    if (found === undefined) return frame && damage(frame.progressive && missingRows === 0);
    const marker = bytes[found + 1]!;
    if (marker === EOI) break;
    if (OTHER_FRAMES.has(marker) || found + 4 > limit) return undefined;
    const end = found + 2 + bytes.readUInt16BE(found + 2);
    const body = bytes.subarray(found + 4, Math.min(end, limit));
    at = end;
    if (marker === DHT) readTables(body, tables);
    if (marker === DRI) restartInterval = body.length >= 2 ? body.readUInt16BE(0) : 0;
    if (FRAMES.has(marker)) frame = frameOf(body, marker === 0xc2);
    if (marker !== SOS || !frame) continue;
    scans += 1;
    const parts = partsOf(body, frame, tables);
    if (parts === undefined) continue;
    const task = { bytes, from: end, limit, frame, parts, restartInterval, suspects };
    const walked = walkScan(task);
    missingRows = Math.max(missingRows, walked.missingRows);
    if (walked.ranOut) emptyFrom = Math.min(emptyFrom, 1 - walked.missingRows);
    if (walked.endsAt === undefined) return damage(frame.progressive && missingRows === 0);
    at = walked.endsAt;
  }
  return missingRows > 0 && scans > 0 ? damage(false) : undefined;
}

/** Bytes at the end that are all the same. */
function paddingOf(bytes: Buffer): number {
  let at = bytes.length - 1;
  while (at > 0 && bytes[at - 1] === bytes[bytes.length - 1]) at -= 1;
  const length = bytes.length - at;
  return length >= PADDING_BYTES ? length : 0;
}

/** Where long runs of zeros begin. */
function holesIn(bytes: Buffer): number[] {
  const holes: number[] = [];
  for (let at = bytes.indexOf(ZEROS); at >= 0; at = bytes.indexOf(ZEROS, at)) {
    holes.push(at);
    while (bytes[at] === 0) at += 1;
  }
  return holes;
}

function frameOf(body: Buffer, progressive: boolean): Frame | undefined {
  if (body.length < 6 || body.length < 6 + 3 * body[5]!) return undefined;
  const components = Array.from({ length: body[5]! }, (_, i) => {
    const at = 6 + 3 * i;
    return { id: body[at]!, h: body[at + 1]! >> 4 || 1, v: body[at + 1]! & 15 || 1 };
  });
  const [heightPx, widthPx] = [body.readUInt16BE(1), body.readUInt16BE(3)];
  return heightPx > 0 && widthPx > 0 ? { progressive, widthPx, heightPx, components } : undefined;
}

/**
 * What a scan codes. Of a progressive picture the first DC scans alone: they have every row, and the
 * codes of others depend on what came before.
 */
function partsOf(
  body: Buffer,
  frame: Frame,
  tables: ReadonlyMap<number, Uint16Array>,
): Part[] | undefined {
  const count = body[0] ?? 0;
  const tail = 1 + 2 * count;
  if (count === 0 || body.length < tail + 3) return undefined;
  const [from, high] = [body[tail]!, body[tail + 2]! >> 4];
  if (frame.progressive && (from > 0 || high > 0)) return undefined;
  const parts: Part[] = [];
  for (let i = 0; i < count; i++) {
    const component = frame.components.find(({ id }) => id === body[1 + 2 * i]);
    const numbers = body[2 + 2 * i]!;
    const dc = tables.get(numbers >> 4);
    const ac = frame.progressive ? undefined : tables.get(16 | (numbers & 15));
    if (!component || !dc || (!frame.progressive && !ac)) return undefined;
    parts.push({ component, dc, ac });
  }
  return parts;
}

/** DHT: class and number, how many codes of each length, their values. AC tables from 16 on. */
function readTables(body: Buffer, tables: Map<number, Uint16Array>): void {
  for (let at = 0; at + 17 <= body.length; ) {
    const table = new Uint16Array(65_536);
    let code = 0;
    let value = at + 17;
    for (let length = 1; length <= 16; length++) {
      for (let n = body[at + length]!; n > 0; n--, value++) {
        const first = code << (16 - length);
        table.fill((length << 8) | (body[value] ?? 0), first, first + (1 << (16 - length)));
        code += 1;
      }
      code <<= 1;
    }
    tables.set(body[at]!, table);
    at = value;
  }
}
