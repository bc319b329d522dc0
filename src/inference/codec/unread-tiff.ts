import type { TiffDirectory } from './tiff-directory.js';

/** TIFF's photometric interpretations of CIE L*a*b* and its relatives. */
const LAB = [8, 9, 10];

/** Ways to pack a TIFF that our libtiff is not built with, by TIFF's own numbers. */
const UNREAD: Readonly<Record<number, string>> = {
  32809: 'ThunderScan',
  33003: 'JPEG 2000',
  33004: 'JPEG 2000',
  33005: 'JPEG 2000',
  34676: 'SGILog',
  34677: 'SGILog',
  34712: 'JPEG 2000',
  34925: 'LZMA',
  50000: 'ZSTD',
  50002: 'JPEG XL',
};

/**
 * Whether a picture is packed in a way that is not read, told from its own directory: libvips keeps
 * its faults in one place for all threads, so with several files at once its words may be about
 * another one.
 * @returns name of the packing; undefined: it can be tried.
 */
export const unreadPacking = ({ compression }: TiffDirectory): string | undefined =>
  UNREAD[compression];

/** Why a picture could not be opened, told from its own directory. */
export const isLab = ({ photometric }: TiffDirectory): boolean => LAB.includes(photometric);
