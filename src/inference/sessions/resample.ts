/**
 * Resize float32 planes [C, H, W], bilinear with half-pixel centres (as cv2.INTER_LINEAR).
 * For one step down (x 0.75), where no low-pass filter is needed.
 */
export function resizePlanes(
  planes: Float32Array,
  from: { widthPx: number; heightPx: number },
  to: { widthPx: number; heightPx: number },
): Float32Array {
  const channels = planes.length / (from.widthPx * from.heightPx);
  const columns = taps(from.widthPx, to.widthPx);
  const rows = taps(from.heightPx, to.heightPx);
  const out = new Float32Array(channels * to.widthPx * to.heightPx);
  let at = 0;
  for (let channel = 0; channel < channels; channel += 1) {
    const base = channel * from.widthPx * from.heightPx;
    for (const row of rows) {
      const top = base + row.low * from.widthPx;
      const bottom = base + row.high * from.widthPx;
      for (const column of columns) {
        const upper = mix(planes[top + column.low]!, planes[top + column.high]!, column.share);
        const lower = mix(
          planes[bottom + column.low]!,
          planes[bottom + column.high]!,
          column.share,
        );
        out[at] = mix(upper, lower, row.share);
        at += 1;
      }
    }
  }
  return out;
}

function taps(from: number, to: number): { low: number; high: number; share: number }[] {
  return Array.from({ length: to }, (_, i) => {
    const position = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const low = Math.floor(position);
    return { low, high: Math.min(low + 1, from - 1), share: position - low };
  });
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
