/**
 * A small picture laid over the result: grey + alpha, 8 bit. `tile` repeats it in both directions
 * over the whole picture (watermark); otherwise it lies at x, y (corner label).
 */
export interface Overlay {
  readonly xPx: number;
  readonly yPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly tile: boolean;
  /** Interleaved grey, alpha. */
  readonly pixels: Uint8Array;
}

/** Rows of a picture an overlay may be blended into. */
export interface PictureRow {
  readonly samples: Uint8Array | Uint16Array;
  /** First sample of the row. */
  readonly offset: number;
  readonly channels: number;
  readonly widthPx: number;
  readonly y: number;
  /** A tiled overlay begins here; default 0. */
  readonly fromPx?: number;
}

/** Lays `overlay` over one row, in place. A fourth sample (alpha) becomes at least as solid. */
export function blendRow(overlay: Overlay, row: PictureRow): void {
  const { widthPx: w, heightPx: h, pixels, tile } = overlay;
  const inside = row.y - overlay.yPx;
  if (!tile && (inside < 0 || inside >= h)) return;
  const line = (((inside % h) + h) % h) * w * 2;
  const from = tile ? (row.fromPx ?? 0) : Math.max(0, overlay.xPx);
  const to = tile ? row.widthPx : Math.min(row.widthPx, overlay.xPx + w);
  const scale = row.samples instanceof Uint16Array ? 257 : 1;
  const colours = Math.min(3, row.channels);
  for (let x = from; x < to; x++) {
    const at = line + ((((x - overlay.xPx) % w) + w) % w) * 2;
    const alpha = pixels[at + 1]! / 255;
    if (alpha === 0) continue;
    const grey = pixels[at]! * scale * alpha;
    const i = row.offset + x * row.channels;
    for (let c = 0; c < colours; c++)
      row.samples[i + c] = Math.round(row.samples[i + c]! * (1 - alpha) + grey);
    if (row.channels === 4)
      row.samples[i + 3] = Math.max(row.samples[i + 3]!, Math.round(255 * scale * alpha));
  }
}
