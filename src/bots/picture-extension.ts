import { open } from 'node:fs/promises';

/** First bytes of what the studio writes; blobs are named by content and have no extension. */
const signatures: readonly (readonly [string, (head: Buffer) => boolean])[] = [
  ['.jpg', (head) => head.readUInt16BE(0) === 0xffd8],
  ['.png', (head) => head.subarray(1, 4).toString('latin1') === 'PNG'],
  ['.webp', (head) => head.subarray(8, 12).toString('latin1') === 'WEBP'],
  ['.avif', (head) => head.subarray(4, 12).toString('latin1') === 'ftypavif'],
  ['.tif', (head) => ['II*\0', 'MM\0*'].includes(head.subarray(0, 4).toString('latin1'))],
  ['.zip', (head) => head.subarray(0, 2).toString('latin1') === 'PK'],
];

/** @returns extension with its dot, or nothing for what we do not know. */
export async function extensionOf(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const head = Buffer.alloc(12);
    await handle.read(head, 0, head.length, 0);
    return signatures.find(([, fits]) => fits(head))?.[0] ?? '';
  } finally {
    await handle.close();
  }
}
