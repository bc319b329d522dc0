import type { ResultNote } from '../../studio/ports/colorizer.js';
import type { TiffDirectory } from './tiff-directory.js';

/** Which of a file's pictures is the photo. */
export interface ChosenPicture {
  readonly page: number;
  /** TIFF only; -1: the page itself. */
  readonly subifd: number;
  readonly notes: readonly ResultNote[];
}

/** One picture of a file. */
export type Candidate = Pick<TiffDirectory, 'page' | 'subifd' | 'widthPx' | 'heightPx'> & {
  readonly isMask?: boolean;
};

/**
 * The largest picture: scanners and cameras put a small copy first. Of equals the first, so that an
 * animation gives its beginning.
 */
export function choosePicture(candidates: readonly Candidate[], pages: number): ChosenPicture {
  const area = ({ widthPx, heightPx, isMask }: Candidate) => (isMask ? 0 : widthPx * heightPx);
  const [first, ...others] = candidates;
  let best = first;
  for (const one of others) if (area(one) > area(best!)) best = one;
  if (best === undefined || best === first)
    return {
      ...{ page: 0, subifd: -1 },
      notes: pages > 1 ? [{ key: 'photo.note.firstPage', params: { pages } }] : [],
    };
  const { page, subifd, widthPx, heightPx } = best;
  const number = candidates.indexOf(best) + 1;
  const params = { pages: candidates.length, page: number, widthPx, heightPx };
  return { page, subifd, notes: [{ key: 'photo.note.largestPage', params }] };
}
