import { StudioError } from '../../studio/errors/index.js';

/** Larger than the channel lets a bot fetch; another way in may take it. */
export class FileBeyondChannel extends StudioError {
  /** @param bytes undefined: the channel does not say how large it is. */
  constructor(bytes: number | undefined, limitBytes: number) {
    super(
      'FILE_BEYOND_CHANNEL',
      bytes === undefined ? 'bots.photo.beyondLimit' : 'bots.photo.beyondChannel',
      'never',
      `${bytes ?? 'too many'} bytes, the channel gives ${limitBytes}`,
      {
        params: {
          ...(bytes === undefined ? {} : { megabytes: Math.ceil(bytes / 1e6) }),
          limitMegabytes: Math.floor(limitBytes / 1e6),
        },
      },
    );
  }
}
