const ascii = 2;
const short = 3;
const long = 4;

/**
 * A grey 8-bit TIFF of `size` x `size` px whose first directory points to a GPS directory: sharp
 * itself writes none.
 * @param place value of GPSMapDatum, more than 4 bytes.
 */
export function tiffWithPlace(place: string, make: string, size = 64): Buffer {
  const parts: Buffer[] = [Buffer.from('II*\0\0\0\0\0', 'latin1')];
  let end = 8;
  const append = (bytes: Buffer): number => {
    const at = end;
    parts.push(bytes);
    end += bytes.length;
    return at;
  };
  const text = (words: string) => Buffer.from(`${words}\0`, 'latin1');
  const directory = (entries: readonly (readonly [number, number, number, number])[]): Buffer => {
    const out = Buffer.alloc(2 + entries.length * 12 + 4);
    out.writeUInt16LE(entries.length, 0);
    entries.forEach(([tag, type, count, value], i) => {
      out.writeUInt16LE(tag, 2 + i * 12);
      out.writeUInt16LE(type, 4 + i * 12);
      out.writeUInt32LE(count, 6 + i * 12);
      out.writeUInt32LE(value, 10 + i * 12);
    });
    return out;
  };
  const pixels = append(Buffer.from(Array.from({ length: size * size }, (_, i) => i % 251)));
  const makeAt = append(text(make));
  const placeAt = append(text(place));
  const gps = append(directory([[18, ascii, place.length + 1, placeAt]]));
  const first = append(
    directory([
      [256, short, 1, size],
      [257, short, 1, size],
      [258, short, 1, 8],
      [259, short, 1, 1],
      [262, short, 1, 1],
      [271, ascii, make.length + 1, makeAt],
      [273, long, 1, pixels],
      [277, short, 1, 1],
      [278, short, 1, size],
      [279, long, 1, size * size],
      [0x8825, long, 1, gps],
    ]),
  );
  const file = Buffer.concat(parts);
  file.writeUInt32LE(first, 4);
  return file;
}
