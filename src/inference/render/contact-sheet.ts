import sharp from 'sharp';
import { RenderOptionInvalid } from '../../studio/errors/index.js';
import type { Label, Rendition } from '../../studio/ports/colorizer.js';
import { writeAtomically } from '../codec/atomic-file.js';
import { aigcLabel, xmpPacket } from '../label/aigc-xmp.js';
import { type Glyphs, loadGlyphs } from '../label/glyphs.js';
import { createLabelPainter } from '../label/label-painter.js';

/** How pictures are laid out on a sheet. */
export interface ContactSheetOptions {
  readonly label: Label;
  /** Longest edge of each picture on the sheet, px. Default 640. */
  readonly cellPx?: number;
  /** Pictures per row. Default: a few in one row, many near a square. */
  readonly columns?: number;
}

const GAP_PX = 12;
const GROUND = { r: 24, g: 24, b: 24 };

/**
 * Variants side by side, numbered from 1, to choose from; a JPEG.
 * @throws {PhotoUnreadable | DiskUnavailable | RenderOptionInvalid}
 */
export async function contactSheet(
  renditions: readonly Pick<Rendition, 'file' | 'widthPx' | 'heightPx'>[],
  output: string,
  { label, cellPx = 640, columns = defaultColumns(renditions.length) }: ContactSheetOptions,
): Promise<{ readonly file: string; readonly widthPx: number; readonly heightPx: number }> {
  if (renditions.length === 0) throw new RenderOptionInvalid('renditions', '0', '1 or more');
  const cell = cellSize(renditions, cellPx);
  const rows = Math.ceil(renditions.length / columns);
  const widthPx = columns * (cell.widthPx + GAP_PX) + GAP_PX;
  const heightPx = rows * (cell.heightPx + GAP_PX) + GAP_PX;
  const glyphs = await loadGlyphs();
  const placed = await Promise.all(
    renditions.map(async ({ file }, i) => ({
      input: await thumbnail(file, glyphs.line, i + 1, cell),
      left: GAP_PX + (i % columns) * (cell.widthPx + GAP_PX),
      top: GAP_PX + Math.floor(i / columns) * (cell.heightPx + GAP_PX),
    })),
  );
  const { overlays } = await createLabelPainter().paint(
    { label: label.text },
    { widthPx, heightPx },
  );
  const marks = overlays.map((o) => ({
    input: Buffer.from(o.pixels),
    raw: { width: o.widthPx, height: o.heightPx, channels: 2 as const },
    left: o.xPx,
    top: o.yPx,
  }));
  const canvas = { width: widthPx, height: heightPx, channels: 3, background: GROUND } as const;
  await writeAtomically(output, async (temporary) => {
    await sharp({ create: canvas })
      .composite([...placed, ...marks])
      .jpeg({ quality: 90 })
      .withXmp(xmpPacket(aigcLabel(label)))
      .toFile(temporary);
  });
  return { file: output, widthPx, heightPx };
}

/** Every cell has the shape of the first picture: variants of one photo share it. */
function cellSize(renditions: readonly Pick<Rendition, 'widthPx' | 'heightPx'>[], cellPx: number) {
  const { widthPx, heightPx } = renditions[0]!;
  const scale = cellPx / Math.max(widthPx, heightPx);
  return {
    widthPx: Math.max(1, Math.round(widthPx * scale)),
    heightPx: Math.max(1, Math.round(heightPx * scale)),
  };
}

async function thumbnail(
  file: string,
  line: Glyphs['line'],
  number: number,
  { widthPx, heightPx }: { widthPx: number; heightPx: number },
): Promise<Buffer> {
  const em = Math.max(20, Math.round(Math.min(widthPx, heightPx) * 0.09));
  const digits = line(String(number), em);
  const side = Math.ceil(Math.max(em * 1.3, digits.widthPx + em * 0.5));
  const x = (side - digits.widthPx) / 2;
  const badge = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><rect width="100%" height="100%" fill="#000" fill-opacity="0.6"/><g fill="#fff" transform="translate(${x} ${side / 2 + em * 0.365})">${digits.svg}</g></svg>`;
  return sharp(file)
    .resize(widthPx, heightPx, { fit: 'contain', background: GROUND })
    .composite([{ input: Buffer.from(badge), left: 0, top: 0 }])
    .flatten({ background: 'white' })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** A few side by side, as chats show them; many as near a square as it goes. */
function defaultColumns(count: number): number {
  return count <= 3 ? count : Math.ceil(Math.sqrt(count));
}
