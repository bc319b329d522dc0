import { kindOf } from '../../inference/codec/formats.js';
import { identifyFile, mayRead } from '../../inference/codec/identify-file.js';
import { PhotoUnreadable } from '../../studio/errors/index.js';

/** Files that were found and not taken for photos, and what they are. */
export interface LeftAlone {
  /** Absolute, as people read it. */
  readonly file: string;
  /** A format's name, or a key of `cli.leftAlone.kind`. */
  readonly kind: string;
}

/** Kinds that have no name of their own; each has words in `cli.leftAlone.kind`. */
export const wordedKinds = ['video', 'raw', 'other', 'special', 'forbidden', 'folderLink'] as const;

const photoExtensions = /\.(jpe?g|jpe|jfif|png|webp|avif|tiff?|gif)$/i;

/**
 * Whether a file that was found is a photo: by its first bytes. One that is called a photo and says
 * nothing is taken too: it fails alone, and by name.
 * @param file can be opened. @param name as it was found.
 * @returns undefined: a photo; else what it is.
 */
export async function lookAtFile(file: string, name: string): Promise<string | undefined> {
  const called = photoExtensions.test(name);
  try {
    const identity = await identifyFile(file);
    if (mayRead(identity)) return undefined;
    if (identity.format !== undefined) return kindOf(identity.format).name;
    return called ? undefined : 'other';
  } catch (error) {
    const reason = error instanceof PhotoUnreadable ? error.reason : 'damaged';
    if (reason === 'notFile') return 'special';
    if (reason === 'folder') return 'folderLink';
    if (called || reason === 'diskFault') return undefined;
    return reason === 'forbidden' ? 'forbidden' : 'other';
  }
}
