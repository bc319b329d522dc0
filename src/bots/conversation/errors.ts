import { StudioError } from '../../studio/errors/index.js';

/** Larger than the channel lets a bot fetch; another way in may take it. */
export class FileBeyondChannel extends StudioError {
  constructor(bytes: number, limitBytes: number) {
    super(
      'FILE_BEYOND_CHANNEL',
      'bots.photo.beyondChannel',
      'never',
      `${bytes} bytes, the channel gives ${limitBytes}`,
      {
        params: { megabytes: Math.ceil(bytes / 1e6), limitMegabytes: Math.floor(limitBytes / 1e6) },
      },
    );
  }
}
