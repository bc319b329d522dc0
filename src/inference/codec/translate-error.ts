import {
  Cancelled,
  DiskUnavailable,
  PhotoFormatUnsupported,
  PhotoUnreadable,
  StudioError,
  systemCodeOf,
} from '../../studio/errors/index.js';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Fault while reading a photo: libvips' or the file system's words to ours. */
export function translateReadError(error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  switch (systemCodeOf(error)) {
    case 'ENOENT':
      return new PhotoUnreadable('there is no such file', error, 'missing');
    case 'EACCES':
    case 'EPERM':
      return new PhotoUnreadable('no permission to read the file', error, 'forbidden');
    case 'EISDIR':
      return new PhotoUnreadable('it is a folder', error, 'folder');
    case 'ENOTDIR':
      return new PhotoUnreadable('there is no such file', error, 'missing');
    case 'ELOOP':
      return new PhotoUnreadable('it is a link that leads to itself', error, 'linkLoop');
    case 'ENXIO':
    case 'ENODEV':
      return new PhotoUnreadable('it is not a file', error, 'notFile');
    case 'EIO':
    case 'ESTALE':
    case 'ETIMEDOUT':
    case 'EREMOTEIO':
      return new PhotoUnreadable('the disk or network drive does not give it', error, 'diskFault');
    case 'ENOSPC':
    case 'EROFS':
    case 'EDQUOT':
      return new DiskUnavailable('', textOf(error), error);
  }
  const text = textOf(error);
  if (isDiskFull(text)) return new DiskUnavailable('', 'no space left on the disk', error);
  const compression = /(\S+) compression (?:support )?is not (?:supported|configured)/i.exec(
    text,
  )?.[1];
  if (compression) return new PhotoFormatUnsupported(`TIFF (${compression})`);
  // libvips cannot say which: the file's own header has said what it holds.
  if (/unsupported codec|no decoder|not built/i.test(text))
    return new PhotoFormatUnsupported('HEIF');
  return new PhotoUnreadable(firstLine(text), error);
}

/** Fault while writing a result. @param path where it should have gone. */
export function translateWriteError(error: unknown, path: string): StudioError {
  if (error instanceof StudioError) return error;
  switch (systemCodeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DiskUnavailable(path, 'no space left on the disk', error);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new DiskUnavailable(path, 'the folder cannot be written to', error);
    case 'ENOENT':
    case 'ENOTDIR':
      return new DiskUnavailable(path, 'there is no such folder', error);
    case 'EEXIST':
      return new DiskUnavailable(path, 'a file of that name is in the way', error);
    case 'ENAMETOOLONG':
      return new DiskUnavailable(path, 'its name is too long', error);
  }
  const text = textOf(error);
  if (isDiskFull(text)) return new DiskUnavailable(path, 'no space left on the disk', error);
  return new DiskUnavailable(path, firstLine(text), error);
}

/** @throws {Cancelled} where the caller has asked to stop. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Cancelled();
}

const isDiskFull = (text: string) => /no space left|disk full|quota exceeded/i.test(text);

/** libvips reports one fault per line and repeats itself; the first line names the cause. */
function firstLine(text: string): string {
  const line = text.split('\n').find((part) => part.trim() !== '') ?? 'unknown fault';
  // Paths say where the customer's file lies; the message must not.
  return line.replace(/(?:\/[^\s:'"]+)+/g, '…').slice(0, 200);
}
