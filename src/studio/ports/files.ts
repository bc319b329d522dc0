import type { ChromaPlane } from '../chroma-plane.js';
import type { Label, Rendition } from './colorizer.js';

/** Scratch space on the local disk. */
export interface Files {
  /** An empty folder of its own for `work`, removed afterwards whatever happens. */
  scratch<T>(work: (dir: string) => Promise<T>): Promise<T>;
  /** @throws {DiskUnavailable} */
  read(file: string): Promise<Uint8Array>;
  /**
   * Take out where a photo was taken, in place; all else stays byte for byte.
   * @throws {DiskUnavailable}
   */
  removeLocation(file: string): Promise<void>;
}

/** Chroma planes as bytes, to be kept as blobs. */
export interface ChromaCodec {
  encode(plane: ChromaPlane): Uint8Array;
  decode(bytes: Uint8Array): ChromaPlane;
}

/** Several pictures of one photo side by side with a number in each, to choose from. */
export type MakeSheet = (
  pictures: readonly Pick<Rendition, 'file' | 'widthPx' | 'heightPx'>[],
  output: string,
  options: { readonly label: Label },
) => Promise<unknown>;
