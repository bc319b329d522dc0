import { createHash, randomBytes } from 'node:crypto';

export interface StoredObject {
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedMs: number;
}

interface Upload {
  readonly key: string;
  readonly startedMs: number;
  readonly parts: Map<number, { body: Buffer; etag: string }>;
}

const md5 = (body: Buffer) => createHash('md5').update(body).digest('hex');
/** S3's own rule for all parts but the last. */
const leastPartBytes = 5 * 1024 * 1024;

/** Objects and half uploads of one bucket, in memory, with S3's rules. */
export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();

  constructor(private readonly now: () => number) {}

  put(key: string, body: Buffer): StoredObject {
    const object = { body, etag: `"${md5(body)}"`, modifiedMs: this.now() };
    this.objects.set(key, object);
    return object;
  }

  begin(key: string): string {
    const id = randomBytes(8).toString('hex');
    this.uploads.set(id, { key, startedMs: this.now(), parts: new Map() });
    return id;
  }

  /** @returns the part's ETag, or undefined when there is no such upload. */
  putPart(id: string, key: string, number: number, body: Buffer): string | undefined {
    const upload = this.uploads.get(id);
    if (upload?.key !== key) return undefined;
    const etag = `"${md5(body)}"`;
    upload.parts.set(number, { body, etag });
    return etag;
  }

  /** @returns S3's error code when it cannot be completed. */
  complete(id: string, key: string, parts: { number: number; etag: string }[]): string | undefined {
    const upload = this.uploads.get(id);
    if (upload?.key !== key) return 'NoSuchUpload';
    const bodies: Buffer[] = [];
    for (const [i, { number, etag }] of parts.entries()) {
      const part = upload.parts.get(number);
      if (part?.etag !== etag) return 'InvalidPart';
      if (i > 0 && number <= parts[i - 1]!.number) return 'InvalidPartOrder';
      if (i < parts.length - 1 && part.body.length < leastPartBytes) return 'EntityTooSmall';
      bodies.push(part.body);
    }
    this.put(key, Buffer.concat(bodies));
    this.uploads.delete(id);
    return undefined;
  }
}
