import type { PhotoInfo } from '../../studio/ports/colorizer.js';
import { type PhotoLimits, readPhotoHeader } from '../codec/photo-header.js';

export type { PhotoLimits } from '../codec/photo-header.js';
export type { AigcLabel } from '../label/aigc-xmp.js';
export { readLabel } from '../label/read-label.js';
export { decodeChromaPlane, encodeChromaPlane } from './chroma-plane-file.js';
export { type ContactSheetOptions, contactSheet } from './contact-sheet.js';
export { cropAnswer, type ModelInput, type ModelInputOptions, modelInput } from './model-input.js';
export { createRenderer, type Renderer, type RendererConfig } from './renderer.js';

/**
 * Reads a photo's header and checks it against the limits; no pixel is decoded.
 * @throws {PhotoUnreadable | PhotoFormatUnsupported | PhotoTooLarge | PhotoTooSmall |
 * PhotoFileTooLarge}
 */
export async function inspectPhoto(file: string, limits: PhotoLimits): Promise<PhotoInfo> {
  return (await readPhotoHeader(file, limits)).info;
}
