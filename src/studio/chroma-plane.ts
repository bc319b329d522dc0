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
