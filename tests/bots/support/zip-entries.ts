/** How many files a ZIP says it has, from the end of its central directory. */
export function zipEntries(zip: Buffer): number {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('not a ZIP');
  return zip.readUInt16LE(end + 10);
}

/** Names of a ZIP's files, from its central directory. */
export function zipNames(zip: Buffer): string[] {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  const names: string[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < zipEntries(zip); i++) {
    const [name, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    names.push(zip.subarray(at + 46, at + 46 + name!).toString('utf8'));
    at += 46 + name! + extra! + comment!;
  }
  return names;
}
