import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/**
 * Pack files into a ZIP. Pictures are compressed already: they are stored.
 * @returns path of a new file in `folder`; the caller moves or deletes it.
 */
export async function zipInto(
  folder: string,
  files: readonly { readonly file: string; readonly name: string }[],
): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const target = path.join(folder, `${randomUUID()}.zip`);
  const zip = new ZipFile();
  for (const { file, name } of files) zip.addFile(file, name, { compress: false });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target, { mode: 0o600 }));
  return target;
}
