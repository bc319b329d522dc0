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
      return new PhotoUnreadable('it is a folder', error, 'notFile');
    case 'ENOSPC':
    case 'EROFS':
    case 'EDQUOT':
      return new DiskUnavailable('', textOf(error), error);
  }
  const text = textOf(error);
  if (isDiskFull(text)) return new DiskUnavailable('', 'no space left on the disk', error);
  if (
    /unsupported codec|no decoder|not built|compression .* not (?:supported|configured)/i.test(text)
  )
    return new PhotoFormatUnsupported(firstLine(text));
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
