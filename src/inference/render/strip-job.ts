import type { ChromaPlane } from '../../studio/chroma-plane.js';
import type { ChromaUpsampling } from '../../studio/ports/colorizer.js';
import type { GreyPixels } from '../codec/decode.js';
import type { RasterLayout } from '../codec/raster.js';
import type { ChromaAdjustment } from '../color/chroma-adjust.js';
import type { ChromaGrid } from '../color/chroma-grid.js';
import type { ContrastCurves } from '../finishing/contrast.js';
import type { Overlay } from '../label/overlay.js';

/** Work for one thread before the strips: everything that is computed at the plane's size. */
export interface PrepareTask {
  readonly kind: 'prepare';
  readonly chroma: ChromaPlane;
  /** The photo at the plane's size. */
  readonly guide: GreyPixels;
  readonly adjustment: ChromaAdjustment;
  readonly upsampling: ChromaUpsampling;
  /** CLAHE strength, 0 .. 1; 0 computes no curves. */
  readonly contrast: number;
}

/** What the strips of one render share. */
export interface Prepared {
  readonly grid: ChromaGrid;
  readonly curves: ContrastCurves | undefined;
}

/** Work all threads share: each claims strips until none is left. */
export interface StripTask {
  readonly kind: 'strips';
  /** Decoded photo, a .v raster file. */
  readonly source: string;
  /** Result, a TIFF raster already created. */
  readonly target: string;
  readonly targetLayout: RasterLayout;
  readonly grid: ChromaGrid;
  readonly curves: ContrastCurves | undefined;
  readonly denoise: number;
  readonly sharpen: number;
  /** Picture left of the result: the original, then a divider this wide. 0: no comparison. */
  readonly dividerPx: number;
  readonly overlays: readonly Overlay[];
  readonly stripRows: number;
  /** Shared: [0] next strip to claim, [1] 1 = stop. */
  readonly control: Int32Array;
}

/** What a thread can be given. */
export type RenderTask = PrepareTask | StripTask;

/** What a thread says. A fault carries the system's code (ENOSPC...) where there is one. */
export type ThreadMessage =
  | { readonly kind: 'progress' }
  | { readonly kind: 'done'; readonly result: Prepared | undefined }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined };

/** Place in `control` of the next strip to claim. */
export const NEXT_STRIP = 0;

/** Place in `control` of the flag that ends all threads of a render. */
export const STOP = 1;
