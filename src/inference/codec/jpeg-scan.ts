/** One component of a JPEG, with its sampling. */
export interface Component {
  readonly id: number;
  readonly h: number;
  readonly v: number;
}

export interface Frame {
  readonly progressive: boolean;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly components: readonly Component[];
}

/** A component in a scan, with its tables: by code of 16 bits, length << 8 | value; 0: no code. */
export interface Part {
  readonly component: Component;
  readonly dc: Uint16Array | undefined;
  readonly ac: Uint16Array | undefined;
}

export interface ScanTask {
  readonly bytes: Uint8Array;
  /** Where the entropy-coded data begin; they end at a marker, or here. */
  readonly from: number;
  readonly limit: number;
  readonly frame: Frame;
  readonly parts: readonly Part[];
  /** MCUs; 0: none. */
  readonly restartInterval: number;
  /** Offsets where data were probably lost: long runs of zeros. */
  readonly suspects: readonly number[];
}

export interface WalkedScan {
  /** Share of the rows, 0..1, that are not what was stored. */
  readonly missingRows: number;
  /** They are missing because the data end, not because they are wrong. */
  readonly ranOut: boolean;
  /** The marker behind the data; undefined: there is none. */
  readonly endsAt: number | undefined;
}

const BLOCK_PX = 8;
const COEFFICIENTS = 64;
/** Bits that fill up the last byte, and what careless writers put behind it. */
const SPARE_BYTES = 8;

/**
 * Walk through the codes of one scan without making pixels of them. Where they end too early or make
 * no sense, the rows from there on are lost, up to the next restart marker.
 * @see ITU-T T.81: F.2.2 (sequential), G.1.2 (first DC scan), E.2.4 (restart)
 */
export function walkScan(task: ScanTask): WalkedScan {
  const { bytes, limit, restartInterval: interval } = task;
  const { across, down, rowPx, blocks } = layOut(task);
  const total = across * down;
  const badRows = new Uint8Array(down);
  const codes = createCodes(bytes, task.from, limit);
  let suspect: number | undefined;
  const lose = (first: number, end: number) => {
    const from = Math.min(first, suspect ?? first);
    badRows.fill(1, Math.floor(from / across), Math.ceil(end / across));
    suspect = undefined;
  };
  let m = 0;
  let ranOut = false;
  while (m < total) {
    if (suspect === undefined && task.suspects.some((at) => at >= task.from && at < codes.at()))
      suspect = m;
    const atBorder = interval > 0 && m > 0 && m % interval === 0;
    if ((!atBorder || codes.restart()) && walkMcu(codes, blocks)) {
      m += 1;
      continue;
    }
    const next = interval > 0 ? codes.findRestart() : undefined;
    if (next === undefined) {
      ranOut = codes.at() + 4 >= limit;
      lose(m, total);
      break;
    }
    // Markers count from 0 to 7: a few intervals may be missing altogether.
    const current = Math.floor((atBorder ? m - 1 : m) / interval);
    const resumed = Math.min(total, (current + 1 + ((next - current + 8) % 8)) * interval);
    lose(m, resumed);
    m = resumed;
  }
  const endsAt = nextMarker(bytes, codes.at(), limit);
  const left = (endsAt ?? limit) - codes.at();
  if (suspect !== undefined && left > SPARE_BYTES) lose(total, total);
  let missing = 0;
  for (let row = 0; row < down; row++)
    if (badRows[row]) missing += Math.min(rowPx, task.frame.heightPx - row * rowPx);
  return { missingRows: missing / task.frame.heightPx, ranOut, endsAt };
}

/** The size of a scan in MCUs, and the blocks of one. */
function layOut({ frame, parts }: ScanTask) {
  const maxH = Math.max(...frame.components.map(({ h }) => h));
  const maxV = Math.max(...frame.components.map(({ v }) => v));
  const [only] = parts;
  if (parts.length === 1) {
    const { h, v } = only!.component;
    return {
      across: Math.ceil(Math.ceil((frame.widthPx * h) / maxH) / BLOCK_PX),
      down: Math.ceil(Math.ceil((frame.heightPx * v) / maxV) / BLOCK_PX),
      rowPx: (BLOCK_PX * maxV) / v,
      blocks: [only!],
    };
  }
  return {
    across: Math.ceil(frame.widthPx / (BLOCK_PX * maxH)),
    down: Math.ceil(frame.heightPx / (BLOCK_PX * maxV)),
    rowPx: BLOCK_PX * maxV,
    blocks: parts.flatMap((part) => Array<Part>(part.component.h * part.component.v).fill(part)),
  };
}

/** @returns false where a code is missing or none. */
function walkMcu(codes: Codes, blocks: readonly Part[]): boolean {
  for (const { dc, ac } of blocks) {
    if (dc) {
      const size = codes.next(dc);
      if (size < 0 || size > 16 || !codes.skip(size)) return false;
    }
    for (let k = 1; ac && k < COEFFICIENTS; k++) {
      const code = codes.next(ac);
      if (code < 0) return false;
      const size = code & 15;
      const run = code >> 4;
      if (size === 0 && run < 15) break;
      k += run;
      if (k >= COEFFICIENTS || !codes.skip(size)) return false;
    }
  }
  return true;
}

interface Codes {
  /** Value of the next code; -1: there is none. */
  next(table: Uint16Array): number;
  skip(bits: number): boolean;
  /** Past a restart marker that is due here. */
  restart(): boolean;
  /** To behind the next restart marker. @returns its number; undefined: there is none. */
  findRestart(): number | undefined;
  /** First byte that has not been taken. */
  at(): number;
}

function createCodes(bytes: Uint8Array, from: number, limit: number): Codes {
  let position = from;
  let buffer = 0;
  let count = 0;

  /** At least 16 bits, unless the data end. */
  function fill(): void {
    while (count <= 16 && position < limit) {
      const byte = bytes[position]!;
      if (byte === 0xff && bytes[position + 1] !== 0) return;
      buffer = ((buffer << 8) | byte) & 0xff_ffff;
      count += 8;
      position += byte === 0xff ? 2 : 1;
    }
  }

  const codes: Codes = {
    next(table) {
      if (count < 16) fill();
      const window = count >= 16 ? buffer >>> (count - 16) : buffer << (16 - count);
      const entry = table[window & 0xffff]!;
      const length = entry >> 8;
      if (length === 0 || length > count) return -1;
      count -= length;
      return entry & 0xff;
    },
    skip(bits) {
      if (count < bits) fill();
      if (count < bits) return false;
      count -= bits;
      return true;
    },
    restart() {
      count = 0;
      if (!isRestart(bytes, position)) return false;
      position += 2;
      return true;
    },
    findRestart() {
      count = 0;
      const found = restartAfter(bytes, position, limit);
      if (found === undefined) return undefined;
      position = found + 2;
      return bytes[found + 1]! - 0xd0;
    },
    at: () => position - (count >> 3),
  };
  return codes;
}

/** Where the next marker is, if it is one that restarts. */
function restartAfter(bytes: Uint8Array, from: number, limit: number): number | undefined {
  for (let at = from; at + 1 < limit; at++) {
    if (bytes[at] !== 0xff || bytes[at + 1] === 0 || bytes[at + 1] === 0xff) continue;
    return isRestart(bytes, at) ? at : undefined;
  }
  return undefined;
}

const isRestart = (bytes: Uint8Array, at: number) =>
  bytes[at] === 0xff && bytes[at + 1]! >= 0xd0 && bytes[at + 1]! <= 0xd7;

/** The first marker that ends a scan. */
export function nextMarker(bytes: Uint8Array, from: number, limit: number): number | undefined {
  for (let at = from; at + 1 < limit; at++) {
    if (bytes[at] !== 0xff) continue;
    const marker = bytes[at + 1]!;
    if (marker !== 0 && marker !== 0xff && !isRestart(bytes, at)) return at;
  }
  return undefined;
}
