import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';

/** Signature and IHDR: where the first further chunk may stand. */
const AFTER_HEADER = 8 + 25;

/**
 * Copies a PNG with an XMP packet as an uncompressed iTXt chunk in front of the pixels, where the
 * XMP specification wants it (libvips writes a compressed text chunk that readers overlook).
 */
export async function copyPngWithXmp(from: string, to: string, xmp: string): Promise<void> {
  const handle = await open(from, 'r');
  const head = Buffer.alloc(AFTER_HEADER);
  try {
    await handle.read(head, 0, AFTER_HEADER, 0);
  } finally {
    await handle.close();
  }
  const out = createWriteStream(to, { flags: 'wx' });
  out.write(head);
  out.write(xmpChunk(xmp));
  await pipeline(createReadStream(from, { start: AFTER_HEADER, highWaterMark: 1 << 20 }), out);
}

/** Keyword, then: not compressed, method 0, no language, no translated keyword. */
function xmpChunk(xmp: string): Buffer {
  const typed = Buffer.concat([
    Buffer.from('iTXtXML:com.adobe.xmp\0\0\0\0\0', 'latin1'),
    Buffer.from(xmp, 'utf8'),
  ]);
  const chunk = Buffer.alloc(typed.length + 8);
  chunk.writeUInt32BE(typed.length - 4, 0);
  typed.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(typed), typed.length + 4);
  return chunk;
}
