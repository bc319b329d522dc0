import { limits } from '../../studio/limits.js';
import type { ModelFit, ResultNote } from '../../studio/ports/colorizer.js';
import type { ModelContract } from './contract.js';

/** Input size of the network, px, and what the user should know of it. */
export interface SizeChoice {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly notes: readonly ResultNote[];
}

/** DDColor's own; every published checkpoint was trained at 256 and is run at 512. */
export const DEFAULT_SIZE_PX = 512;

/**
 * Model input for a photo. `stretch` and `letterbox` use a square, as DDColor does; `aspect` keeps
 * the photo's shape with the long side near `sizePx`. Sides are the nearest multiples of 32 within
 * limits.model. A graph of fixed size forces its own.
 * @param wanted.sizePx default 512.
 */
export function chooseInputSize(
  contract: Pick<ModelContract, 'fixed'>,
  photo: { readonly widthPx: number; readonly heightPx: number },
  wanted: { readonly sizePx?: number; readonly fit?: ModelFit } = {},
): SizeChoice {
  const { fixed } = contract;
  if (fixed) return { ...fixed, notes: fixedNotes(fixed, wanted.sizePx) };
  const asked = wanted.sizePx ?? DEFAULT_SIZE_PX;
  const sizePx = nearestSize(asked);
  const notes: ResultNote[] =
    sizePx === asked ? [] : [{ key: 'inference.sizeRounded', params: { asked, used: sizePx } }];
  if (wanted.fit !== 'aspect') return { widthPx: sizePx, heightPx: sizePx, notes };
  const longEdge = Math.max(photo.widthPx, photo.heightPx);
  const side = (edge: number) => nearestSize((edge / longEdge) * sizePx);
  return { widthPx: side(photo.widthPx), heightPx: side(photo.heightPx), notes };
}

/** Nearest multiple of 32 within limits.model; halves go up. */
export function nearestSize(px: number): number {
  const { stridePx, minSizePx, maxSizePx } = limits.model;
  const nearest = Math.round(px / stridePx) * stridePx;
  return Math.min(maxSizePx, Math.max(minSizePx, nearest));
}

function fixedNotes(
  fixed: { readonly widthPx: number; readonly heightPx: number },
  asked: number | undefined,
): ResultNote[] {
  if (asked === undefined || (asked === fixed.widthPx && asked === fixed.heightPx)) return [];
  return [
    {
      key: 'inference.sizeFixed',
      params: { asked, used: `${fixed.widthPx}x${fixed.heightPx}` },
    },
  ];
}
