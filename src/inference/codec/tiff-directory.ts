/** One picture of a TIFF: what its directory says of it. */
export interface TiffDirectory {
  /** Number in the chain of pages, from 0. */
  readonly page: number;
  /** Number below that page; -1: the page itself. */
  readonly subifd: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** TIFF's own numbers; 0 where the tag is absent. */
  readonly photometric: number;
  readonly compression: number;
  readonly samplesPerPixel: number;
  /** Meaning of each sample beyond the colours: 0 unspecified, 1 and 2 alpha. */
  readonly extraSamples: readonly number[];
  /** One of them is transparency; samples that nothing is said of are not. */
  readonly hasAlpha: boolean;
  /** Dots per inch. */
  readonly resolution?: { readonly x: number; readonly y: number };
  /** Bit 2 of NewSubfileType: a mask of another picture. */
  readonly isMask: boolean;
  /** Tags that only raw files of cameras have. */
  readonly isDng: boolean;
  readonly make: string;
}

const TAG = {
  subfileType: 254,
  width: 256,
  height: 257,
  compression: 259,
  photometric: 262,
  make: 271,
  samplesPerPixel: 277,
  xResolution: 282,
  yResolution: 283,
  resolutionUnit: 296,
  subIfds: 330,
  extraSamples: 338,
  dngVersion: 50_706,
} as const;
const WANTED: ReadonlySet<number> = new Set(Object.values(TAG));

/** A file with more pages than this is no photograph; a loop of pages ends here too. */
const MAX_DIRECTORIES = 400;
const MAX_ENTRIES = 4096;
const MAX_VALUES = 64;
/** Bytes of one value, by TIFF's field type. */
const TYPE_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
const ASCII = 2;
const MASK = 4;
const CM_PER_INCH = 2.54;

/** `count` bytes from `at` on, zeros beyond the end; rejects where there is nothing at all. */
export type ReadBytes = (at: number, count: number) => Promise<Buffer>;

interface Reader {
  readonly big: boolean;
  readonly bytes: ReadBytes;
  u16(from: Buffer, at: number): number;
  u32(from: Buffer, at: number): number;
  u64(from: Buffer, at: number): number;
}

type Values = ReadonlyMap<number, readonly number[] | string>;

/**
 * The pictures of a TIFF, pages and what lies below them, as far as they can be read: a damaged file
 * gives those before the damage. No pixel is touched.
 * @see TIFF 6.0; BigTIFF; TIFF/EP for SubIFDs
 */
export async function readTiffDirectories(bytes: ReadBytes): Promise<TiffDirectory[]> {
  const found: TiffDirectory[] = [];
  try {
    const head = await bytes(0, 16);
    const reader = readerOf(bytes, head);
    let at = reader.big ? reader.u64(head, 8) : reader.u32(head, 4);
    const seen = new Set<number>();
    for (let page = 0; at !== 0 && !seen.has(at) && found.length < MAX_DIRECTORIES; page++) {
      seen.add(at);
      const { values, next } = await readDirectory(reader, at);
      found.push(directoryOf(values, page, -1));
      const below = numbers(values, TAG.subIfds);
      for (const [i, sub] of below.entries())
        found.push(directoryOf((await readDirectory(reader, sub)).values, page, i));
      at = next;
    }
  } catch {
    // What was read stands; the decoder says what is wrong with the rest.
  }
  return found;
}

function readerOf(bytes: ReadBytes, head: Buffer): Reader {
  const little = head[0] === 0x49;
  return {
    big: (little ? head[2] : head[3]) === 43,
    bytes,
    u16: (from, at) => (little ? from.readUInt16LE(at) : from.readUInt16BE(at)),
    u32: (from, at) => (little ? from.readUInt32LE(at) : from.readUInt32BE(at)),
    u64: (from, at) => Number(little ? from.readBigUInt64LE(at) : from.readBigUInt64BE(at)),
  };
}

async function readDirectory(reader: Reader, at: number) {
  const { big, u16, u32, u64 } = reader;
  const countBytes = big ? 8 : 2;
  const entryBytes = big ? 20 : 12;
  const start = await reader.bytes(at, 8);
  const count = big ? u64(start, 0) : u16(start, 0);
  if (count > MAX_ENTRIES) throw new RangeError('no directory');
  const body = await reader.bytes(at + countBytes, count * entryBytes + 8);
  const values = new Map<number, readonly number[] | string>();
  for (let i = 0; i < count; i++) {
    const entry = body.subarray(i * entryBytes, (i + 1) * entryBytes);
    const tag = u16(entry, 0);
    if (WANTED.has(tag)) values.set(tag, await valuesOf(reader, entry));
  }
  const end = count * entryBytes;
  return { values: values as Values, next: big ? u64(body, end) : u32(body, end) };
}

async function valuesOf(reader: Reader, entry: Buffer): Promise<readonly number[] | string> {
  const { big, u16, u32, u64 } = reader;
  const type = u16(entry, 2);
  const size = TYPE_BYTES[type] ?? 0;
  const count = Math.min(big ? u64(entry, 4) : u32(entry, 4), MAX_VALUES);
  const inline = entry.subarray(big ? 12 : 8);
  const fits = size * count <= inline.length;
  const data = fits
    ? inline
    : await reader.bytes(big ? u64(inline, 0) : u32(inline, 0), size * count);
  if (type === ASCII) return data.toString('latin1', 0, count).replace(/\0.*$/s, '');
  return Array.from({ length: count }, (_, i) => numberAt(reader, data, type, i * size));
}

function numberAt({ u16, u32, u64 }: Reader, data: Buffer, type: number, at: number): number {
  const size = TYPE_BYTES[type];
  // RATIONAL and SRATIONAL.
  if (type === 5 || type === 10) return u32(data, at) / u32(data, at + 4);
  if (size === 8) return u64(data, at);
  if (size === 4) return u32(data, at);
  return size === 2 ? u16(data, at) : data[at]!;
}

const numbers = (values: Values, tag: number): readonly number[] => {
  const found = values.get(tag);
  return typeof found === 'object' ? found : [];
};

function directoryOf(values: Values, page: number, subifd: number): TiffDirectory {
  const first = (tag: number) => numbers(values, tag)[0] ?? 0;
  return {
    page,
    subifd,
    widthPx: first(TAG.width),
    heightPx: first(TAG.height),
    photometric: first(TAG.photometric),
    compression: first(TAG.compression),
    samplesPerPixel: first(TAG.samplesPerPixel),
    extraSamples: numbers(values, TAG.extraSamples),
    hasAlpha: numbers(values, TAG.extraSamples).some((kind) => kind === 1 || kind === 2),
    resolution: resolutionOf(
      first(TAG.xResolution),
      first(TAG.yResolution),
      numbers(values, TAG.resolutionUnit)[0] ?? 2,
    ),
    isMask: (first(TAG.subfileType) & MASK) !== 0,
    isDng: values.has(TAG.dngVersion),
    make: String(values.get(TAG.make) ?? ''),
  };
}

/** @param unit 2: per inch, 3: per centimetre; 1: only the ratio means something. */
function resolutionOf(x: number, y: number, unit: number): TiffDirectory['resolution'] {
  if (!(x > 0 && y > 0 && Number.isFinite(x) && Number.isFinite(y)) || unit === 1) return undefined;
  const scale = unit === 3 ? CM_PER_INCH : 1;
  return { x: x * scale, y: y * scale };
}
