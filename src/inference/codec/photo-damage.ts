import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { PhotoUnreadable } from '../../studio/errors/index.js';
import type { PhotoDamage, ResultNote } from '../../studio/ports/colorizer.js';
import { findJpegDamage, looksDamaged } from './jpeg-damage.js';
import { createSmallCopies } from './small-copies.js';

/** A damaged file as it can still be decoded. */
export interface Damaged {
  readonly damage: PhotoDamage;
  /** Share of the stored rows, 0..1, behind which there is nothing: no colours either. */
  readonly emptyFrom: number;
  /** The part of the file that is of use; undefined: all of it. */
  readonly usable: Buffer | undefined;
}

/** Larger ones are not looked into: they would have to be held in memory. */
const MAX_BYTES = 150_000_000;

/** With less than a tenth of its rows nobody calls it a photo. */
const MOST_MISSING = 0.9;

const CHECK_PX = 16;

const known = createSmallCopies<Damaged | undefined>();

/**
 * What is missing of a JPEG whose size has been checked; undefined: nothing that shows.
 * @throws {PhotoUnreadable} where hardly anything is left
 */
export function damageOf(file: string, bytes: number): Promise<Damaged | undefined> {
  if (bytes > MAX_BYTES) return Promise.resolve(undefined);
  return known.of(file, 'damage', async () => {
    const content = await readFile(file);
    const suspicious = looksDamaged(content) || !(await decodesCleanly(file));
    const found = suspicious ? findJpegDamage(content) : undefined;
    if (!found) return undefined;
    const { missingRows, emptyFrom, coarse, usableBytes } = found;
    if (missingRows > MOST_MISSING)
      throw new PhotoUnreadable(`${Math.round(missingRows * 100)} % of the picture is missing`);
    const percent = missingRows === 0 ? 0 : Math.round(missingRows * 100);
    const missingPercent = missingRows === 0 ? 0 : Math.min(99, Math.max(1, percent));
    return {
      damage: { missingPercent, coarse },
      emptyFrom,
      usable: usableBytes < content.length ? content.subarray(0, usableBytes) : undefined,
    };
  });
}

/** At an eighth of its size a JPEG is only unpacked, not computed: a tenth of a decode. */
function decodesCleanly(file: string): Promise<boolean> {
  return sharp(file, { failOn: 'warning', sequentialRead: true, limitInputPixels: false })
    .resize(CHECK_PX, CHECK_PX, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer()
    .then(
      () => true,
      () => false,
    );
}

/** What people are told of it. */
export function damageNote({ missingPercent, coarse }: PhotoDamage): ResultNote {
  if (coarse) return { key: 'photo.note.damagedCoarse' };
  if (missingPercent === 0) return { key: 'photo.note.damagedEnd' };
  return { key: 'photo.note.damaged', params: { percent: missingPercent } };
}
