/** How many files a ZIP says it has, from the end of its central directory. */
export function zipEntries(zip: Buffer): number {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('not a ZIP');
  return zip.readUInt16LE(end + 10);
}
