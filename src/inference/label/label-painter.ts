import { RenderOptionInvalid } from '../../studio/errors/index.js';
import type { ResultNote } from '../../studio/ports/colorizer.js';
import { type Glyphs, loadGlyphs } from './glyphs.js';
import type { Overlay } from './overlay.js';
import { paintLabel } from './paint-label.js';
import { paintWatermark } from './paint-watermark.js';

/** Draws the visible label and the watermark. */
export interface LabelPainter {
  /**
   * Overlays for a picture of this size; none for absent texts.
   * @throws {RenderOptionInvalid} naming characters there is no outline for
   */
  paint(
    texts: { readonly label?: string; readonly watermark?: string },
    picture: { readonly widthPx: number; readonly heightPx: number },
  ): Promise<Painted>;
}

/** What is laid over a picture. */
export interface Painted {
  readonly overlays: readonly Overlay[];
  /** That a picture is too small for its label. */
  readonly notes: readonly ResultNote[];
}

/** Loads the outlines at first use and keeps them. */
export function createLabelPainter(): LabelPainter {
  let loading: Promise<Glyphs> | undefined;
  return {
    async paint({ label, watermark }, picture) {
      if (!label && !watermark) return { overlays: [], notes: [] };
      loading ??= loadGlyphs();
      const glyphs = await loading;
      checkCharacters(glyphs, 'label.text', label);
      checkCharacters(glyphs, 'watermark', watermark);
      const overlays: Overlay[] = [];
      if (watermark) overlays.push(await paintWatermark(glyphs, watermark, picture));
      if (!label) return { overlays, notes: [] };
      const painted = await paintLabel(glyphs, label, picture);
      if (painted === undefined) return { overlays, notes: [{ key: 'photo.note.labelLeftOut' }] };
      return { overlays: [...overlays, painted], notes: [] };
    },
  };
}

function checkCharacters(glyphs: Glyphs, option: string, text: string | undefined): void {
  const missing = text === undefined ? [] : glyphs.missing(text);
  if (missing.length > 0)
    throw new RenderOptionInvalid(option, missing.join(''), 'ASCII, GB 2312 level 1');
}
