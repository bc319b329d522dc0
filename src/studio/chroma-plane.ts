/**
 * Predicted chroma of a photo at the model's size: the a* and b* planes of CIE L*a*b* (D65), about
 * -128..127. It covers the whole upright photo (EXIF orientation applied), stretched to
 * widthPx x heightPx. Kept after the first preview: an HD master, another strength or warmth need
 * no second inference.
 */
export interface ChromaPlane {
  readonly widthPx: number;
  readonly heightPx: number;
  /** float32 [2, heightPx, widthPx]: all of a*, then all of b*. */
  readonly ab: Float32Array;
}

/** Mean of sqrt(a² + b²). NaN or infinite as soon as one value is. @param ab as in ChromaPlane */
export function meanChromaOf(ab: Float32Array): number {
  const pixels = ab.length / 2;
  let sum = 0;
  for (let i = 0; i < pixels; i += 1) {
    const a = ab[i]!;
    const b = ab[pixels + i]!;
    sum += Math.sqrt(a * a + b * b);
  }
  return sum / pixels;
}
