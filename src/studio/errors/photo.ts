import { StudioError } from './base.js';

/** Why a picture cannot be read, as people are told it: `photo.reason.<reason>` in the messages. */
export type UnreadableReason =
  | 'damaged'
  | 'empty'
  | 'notPicture'
  | 'missing'
  | 'forbidden'
  | 'notFile'
  | 'folder'
  | 'linkLoop'
  | 'diskFault'
  | 'cutOff'
  | 'gone';

/** The file is not a picture we can read, or is cut short or damaged. */
export class PhotoUnreadable extends StudioError {
  /**
   * @param detail English, for the log: a library's own words at times.
   * @param reason what people read, in their language.
   */
  constructor(
    detail: string,
    cause?: unknown,
    readonly reason: UnreadableReason = 'damaged',
  ) {
    super('PHOTO_UNREADABLE', 'photo.unreadable', 'never', `cannot read the picture: ${detail}`, {
      cause,
      params: { reason },
    });
  }
}

/** What a file is that holds no finished photograph: each gets a sentence of its own. */
export type Refusal = 'raw' | 'video' | 'document';

/** A file of a kind we know and do not take (HEIC, raw, SVG, PDF, video...). */
export class PhotoFormatUnsupported extends StudioError {
  /** @param format as people call it. */
  constructor(
    readonly format: string,
    refusal?: Refusal,
  ) {
    const messageKey = refusal ? `photo.refused.${refusal}` : 'photo.formatUnsupported';
    super('PHOTO_FORMAT_UNSUPPORTED', messageKey, 'never', `format ${format}`, {
      params: { format },
    });
  }
}

/** More pixels than are coloured here. */
export class PhotoTooLarge extends StudioError {
  constructor(
    readonly megapixels: number,
    readonly limitMegapixels: number,
  ) {
    super(
      'PHOTO_TOO_LARGE',
      'photo.tooLarge',
      'never',
      `${megapixels} MP, limit ${limitMegapixels} MP`,
      { params: { megapixels, limitMegapixels } },
    );
  }
}

/** A side shorter than anything can be seen on. */
export class PhotoTooSmall extends StudioError {
  constructor(
    readonly widthPx: number,
    readonly heightPx: number,
    readonly limitPx: number,
  ) {
    super('PHOTO_TOO_SMALL', 'photo.tooSmall', 'never', `${widthPx}x${heightPx}, min ${limitPx}`, {
      params: { widthPx, heightPx, limitPx },
    });
  }
}

/** More bytes than are taken in. */
export class PhotoFileTooLarge extends StudioError {
  constructor(
    readonly bytes: number,
    readonly limitBytes: number,
  ) {
    super(
      'PHOTO_FILE_TOO_LARGE',
      'photo.fileTooLarge',
      'never',
      `${bytes} bytes, limit ${limitBytes} bytes`,
      {
        params: { megabytes: Math.ceil(bytes / 1e6), limitMegabytes: Math.floor(limitBytes / 1e6) },
      },
    );
  }
}

/** The caller asked to stop (Ctrl-C, cancel button). */
export class Cancelled extends StudioError {
  constructor() {
    super('CANCELLED', 'photo.cancelled', 'never', 'cancelled');
  }
}

/** A finishing or output option outside its range. */
export class RenderOptionInvalid extends StudioError {
  constructor(
    readonly option: string,
    readonly value: string,
    readonly allowed: string,
    messageKey = 'photo.optionInvalid',
    params: Readonly<Record<string, string | number>> = { option, value, allowed },
  ) {
    super(
      'RENDER_OPTION_INVALID',
      messageKey,
      'never',
      `${option} is ${value}, allowed: ${allowed}`,
      { params },
    );
  }
}

/** A picture that the format asked for cannot hold. */
export class PictureTooLargeForFormat extends RenderOptionInvalid {
  constructor(
    format: string,
    readonly widthPx: number,
    readonly heightPx: number,
    readonly limitPx: number,
  ) {
    const params = { format, widthPx, heightPx, limitPx };
    super('format', format, `edges up to ${limitPx} px`, 'photo.tooLargeForFormat', params);
  }
}
