import { PictureTooLargeForFormat } from '../../studio/errors/index.js';
import type { ImageFormat, RenderOptions, ResultNote } from '../../studio/ports/colorizer.js';
import { MAX_EDGE_PX } from '../codec/encode.js';
import { defaultOutputFormat, holds16Bit, holdsAlpha } from '../codec/formats.js';
import type { PhotoHeader } from '../codec/photo-header.js';
import type { RasterShape } from '../codec/raster.js';

/** What a render will make, decided before any pixel is touched. */
export interface RenderPlan {
  /** The photo at the size it is coloured at. */
  readonly photo: { readonly widthPx: number; readonly heightPx: number };
  /** The written picture: wider than the photo in a comparison. */
  readonly picture: RasterShape;
  /** 0 without comparison. */
  readonly dividerPx: number;
  readonly format: ImageFormat;
  readonly keepAlpha: boolean;
  readonly notes: readonly ResultNote[];
}

/** @throws {RenderOptionInvalid} where the asked format cannot hold a picture of this size */
export function planRender(header: PhotoHeader, options: RenderOptions): RenderPlan {
  const comparison = options.layout === 'comparison';
  // A comparison is for looking at: where the format cannot hold both sides, they are made smaller.
  const wanted = options.format ?? defaultOutputFormat(header.info.format);
  const edges = [options.longEdgePx, comparison ? MAX_EDGE_PX[wanted] : undefined];
  const longEdgePx = Math.min(...edges.filter((edge) => edge !== undefined));
  const photo = fitted(
    header.info,
    Number.isFinite(longEdgePx) ? longEdgePx : undefined,
    comparison,
  );
  const dividerPx = comparison ? dividerOf(photo.widthPx) : 0;
  const widthPx = comparison ? 2 * photo.widthPx + dividerPx : photo.widthPx;
  const size = { widthPx, heightPx: photo.heightPx };
  const { format, notes } = chooseFormat(header, options.format, size);
  const keepAlpha = header.hasAlpha && holdsAlpha(format);
  return {
    photo,
    picture: {
      widthPx,
      heightPx: photo.heightPx,
      channels: keepAlpha ? 4 : 3,
      bitDepth: header.info.bitDepth === 16 && holds16Bit(format) ? 16 : 8,
    },
    dividerPx,
    format,
    keepAlpha,
    notes: [...header.info.notes, ...notes],
  };
}

const dividerOf = (widthPx: number) => Math.min(16, Math.max(2, Math.round(widthPx * 0.006)));

function fitted(
  { widthPx, heightPx }: PhotoHeader['info'],
  longEdgePx: number | undefined,
  comparison: boolean,
) {
  if (longEdgePx === undefined) return { widthPx, heightPx };
  const across = comparison ? 2 * widthPx : widthPx;
  const divider = comparison ? dividerOf(longEdgePx / 2) : 0;
  const scale = Math.min(1, (longEdgePx - divider) / across, longEdgePx / heightPx);
  const size = (px: number) => Math.max(1, Math.floor(px * scale + 1e-9));
  return { widthPx: size(widthPx), heightPx: size(heightPx) };
}

function chooseFormat(
  header: PhotoHeader,
  asked: ImageFormat | undefined,
  { widthPx, heightPx }: { readonly widthPx: number; readonly heightPx: number },
): { format: ImageFormat; notes: ResultNote[] } {
  const format = asked ?? defaultOutputFormat(header.info.format);
  const edgePx = Math.max(widthPx, heightPx);
  if (edgePx <= MAX_EDGE_PX[format]) return { format, notes: [] };
  if (asked !== undefined || edgePx > MAX_EDGE_PX.jpeg)
    throw new PictureTooLargeForFormat(format, widthPx, heightPx, MAX_EDGE_PX[format]);
  return { format: 'jpeg', notes: [{ key: 'photo.note.formatChanged', params: { from: format } }] };
}
