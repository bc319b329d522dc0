/** Offsets and signatures of an ICC profile's header. @see ICC.1:2022, 7.2 and 7.3 */
const CLASS_AT = 12;
const SPACE_AT = 16;
const TAG_COUNT_AT = 128;
const TAG_BYTES = 12;
/** A space defined by primaries and curves works in both directions; tables often only in one. */
const NEEDED_TAGS = ['rXYZ', 'gXYZ', 'bXYZ', 'rTRC', 'gTRC', 'bTRC'];

/**
 * The profile of an RGB working space (Adobe RGB, Display P3, eciRGB...) that a result can be
 * written in. Undefined for sRGB, which needs no conversion, and for profiles that only say what a
 * file's numbers mean: of greys, of CMYK, of scanners and printers.
 * @param icc a photo's embedded profile.
 */
export function workingProfile(icc: Uint8Array | undefined): Uint8Array | undefined {
  if (!icc || icc.length < TAG_COUNT_AT + 4) return undefined;
  const bytes = Buffer.from(icc.buffer, icc.byteOffset, icc.length);
  const text = (at: number) => bytes.toString('latin1', at, at + 4);
  if (!['mntr', 'spac'].includes(text(CLASS_AT)) || text(SPACE_AT) !== 'RGB ') return undefined;
  const tags = new Set<string>();
  const count = Math.min(bytes.readUInt32BE(TAG_COUNT_AT), 200);
  for (let i = 0; i < count; i++) tags.add(text(TAG_COUNT_AT + 4 + i * TAG_BYTES));
  if (!NEEDED_TAGS.every((tag) => tags.has(tag))) return undefined;
  return namesSrgb(bytes) ? undefined : icc;
}

/** Names are ASCII in version 2 and UTF-16 in version 4. */
function namesSrgb(profile: Buffer): boolean {
  return profile.includes('sRGB') || profile.includes(Buffer.from('\0s\0R\0G\0B', 'latin1'));
}
