import { open } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyReply } from 'fastify';
import type { Blobs } from '../studio/ports/blobs.js';

/** How a browser keeps a file. */
export interface BlobReplyOptions {
  /** This address always answers these bytes: the browser need not ask again. */
  readonly lasting: boolean;
  /** Ask the browser to save it under this name; the extension is added. */
  readonly downloadAs?: string;
}

const forEver = 'private, max-age=31536000, immutable';

/**
 * Send a blob with its true type, ranges and a private cache entry. Its type comes from its first
 * bytes and the browser is told not to guess otherwise, so a file that is a picture and something
 * else as well stays a picture.
 * @throws {BlobMissing}
 */
export async function sendBlob(
  reply: FastifyReply,
  blobs: Blobs,
  key: string,
  options: BlobReplyOptions,
): Promise<FastifyReply> {
  const file = await blobs.localFile(key);
  const kind = await kindOf(file);
  reply
    .header('content-type', kind.type)
    .header('cache-control', options.lasting ? forEver : 'private, no-cache')
    .header('content-security-policy', "default-src 'none'; sandbox");
  if (options.downloadAs) {
    const name = `${options.downloadAs}.${kind.extension}`;
    reply.header('content-disposition', `attachment; filename="${name}"`);
  }
  return reply.sendFile(path.basename(file), path.dirname(file), {
    contentType: false,
    cacheControl: false,
    dotfiles: 'allow',
  });
}

/** Send a smaller copy as it was made for the page. */
export function sendThumbnail(reply: FastifyReply, webp: Buffer, lasting: boolean): FastifyReply {
  return reply
    .header('content-type', 'image/webp')
    .header('cache-control', lasting ? forEver : 'private, no-cache')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .send(webp);
}

interface Kind {
  readonly type: string;
  readonly extension: string;
}

const unknown: Kind = { type: 'application/octet-stream', extension: 'bin' };

/** Signatures of the formats that the colouriser reads and writes. */
async function kindOf(file: string): Promise<Kind> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    return kindOfBytes(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** @param head the first 16 bytes of a file. */
function kindOfBytes(head: Buffer): Kind {
  const ascii = head.toString('latin1');
  if (ascii.startsWith('\xff\xd8\xff')) return { type: 'image/jpeg', extension: 'jpg' };
  if (ascii.startsWith('\x89PNG\r\n\x1a\n')) return { type: 'image/png', extension: 'png' };
  if (ascii.startsWith('RIFF') && ascii.slice(8, 12) === 'WEBP') {
    return { type: 'image/webp', extension: 'webp' };
  }
  if (ascii.startsWith('II*\0') || ascii.startsWith('MM\0*')) {
    return { type: 'image/tiff', extension: 'tif' };
  }
  if (ascii.slice(4, 8) === 'ftyp') {
    return ascii.slice(8, 12).startsWith('avi')
      ? { type: 'image/avif', extension: 'avif' }
      : { type: 'image/heic', extension: 'heic' };
  }
  if (ascii.startsWith('GIF8')) return { type: 'image/gif', extension: 'gif' };
  if (ascii.startsWith('PK\x03\x04')) return { type: 'application/zip', extension: 'zip' };
  return unknown;
}
