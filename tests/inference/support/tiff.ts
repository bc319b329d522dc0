/** One picture of a TIFF: uncompressed, little endian. */
export interface TiffPage {
  readonly widthPx: number;
  readonly heightPx: number;
  /** 8 or 16 bits, interleaved. */
  readonly samples: Uint8Array | Uint16Array;
  readonly channels?: number;
  /** SHORT tags beyond those that every picture has. */
  readonly tags?: Readonly<Record<number, readonly number[]>>;
  /** Dots per inch. */
  readonly dpi?: readonly [number, number];
  readonly below?: readonly TiffPage[];
}

const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;

/** A TIFF of several pages, as scanners and cameras write them; what sharp cannot be asked for. */
export function buildTiff(pages: readonly TiffPage[]): Buffer {
  const parts: Buffer[] = [Buffer.from('II*\0\0\0\0\0', 'latin1')];
  let length = 8;
  const add = (part: Buffer) => {
    const at = length;
    const padded = Buffer.concat([part], part.length + (part.length % 2));
    parts.push(padded);
    length += padded.length;
    return at;
  };
  const addPage = (page: TiffPage): number =>
    add(directoryOf(page, (page.below ?? []).map(addPage), add));
  let link: (at: number) => void = (at) => parts[0]!.writeUInt32LE(at, 4);
  for (const page of pages) {
    link(addPage(page));
    const written = parts.at(-1)!;
    const count = written.readUInt16LE(0);
    link = (next) => written.writeUInt32LE(next, 2 + 12 * count);
  }
  return Buffer.concat(parts);
}

function directoryOf(
  page: TiffPage,
  below: readonly number[],
  add: (part: Buffer) => number,
): Buffer {
  const { widthPx, heightPx, samples, channels = 1, dpi } = page;
  const bits = samples.BYTES_PER_ELEMENT * 8;
  const pixels = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const fields: [number, number, readonly number[]][] = [
    [256, LONG, [widthPx]],
    [257, LONG, [heightPx]],
    [258, SHORT, Array(channels).fill(bits)],
    [259, SHORT, [1]],
    [262, SHORT, [channels >= 3 ? 2 : 1]],
    [273, LONG, [add(pixels)]],
    [277, SHORT, [channels]],
    [278, LONG, [heightPx]],
    [279, LONG, [pixels.length]],
    ...(dpi ? [[282, RATIONAL, [dpi[0], 1]] as [number, number, number[]]] : []),
    ...(dpi ? [[283, RATIONAL, [dpi[1], 1]] as [number, number, number[]]] : []),
    ...(below.length > 0 ? [[330, LONG, below] as [number, number, readonly number[]]] : []),
  ];
  for (const [tag, values] of Object.entries(page.tags ?? {})) {
    const at = fields.findIndex(([known]) => known === Number(tag));
    if (at >= 0) fields[at] = [Number(tag), SHORT, values];
    else fields.push([Number(tag), SHORT, values]);
  }
  fields.sort(([a], [b]) => a - b);
  const directory = Buffer.alloc(2 + 12 * fields.length + 4);
  directory.writeUInt16LE(fields.length, 0);
  for (const [i, [tag, type, values]] of fields.entries()) {
    const data = Buffer.alloc(values.length * (type === SHORT ? 2 : 4));
    for (const [k, value] of values.entries())
      if (type === SHORT) data.writeUInt16LE(value, 2 * k);
      else data.writeUInt32LE(value, 4 * k);
    const entry = directory.subarray(2 + 12 * i);
    entry.writeUInt16LE(tag, 0);
    entry.writeUInt16LE(type, 2);
    entry.writeUInt32LE(type === RATIONAL ? values.length / 2 : values.length, 4);
    if (data.length <= 4) data.copy(entry, 8);
    else entry.writeUInt32LE(add(data), 8);
  }
  return directory;
}
