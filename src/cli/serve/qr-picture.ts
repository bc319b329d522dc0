import QRCode from 'qrcode';
import sharp from 'sharp';
import { type Glyphs, loadGlyphs } from '../../inference/label/glyphs.js';
import { yuan } from '../../studio/money.js';
import type { Language, Messages } from '../../studio/ports/basics.js';
import type { OrderView } from '../../studio/ports/studio.js';

/** Wide enough for a phone camera to read out of a chat bubble, px. */
const widthPx = 640;
const quietModules = 4;
const lineHeightPx = 44;
const fontPx = 28;

/**
 * A QR code as PNG with amount, purpose and expiry under it, drawn from our own outlines: no font
 * of the machine is needed.
 * @returns PNG, 640 px wide.
 */
export function createQrPicture(messages: Messages, timeZone: string) {
  const glyphs = loadGlyphs();
  return async (order: OrderView, language: Language): Promise<Uint8Array> => {
    const text = (key: string, params?: Record<string, string | number>) =>
      messages.text(`bots.qr.${key}`, language, params);
    const amount =
      order.currency === 'XTR' ? `${order.amountMinor} Stars` : `￥${yuan(order.amountMinor)}`;
    const until = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
    }).format(order.expiresAtMs);
    const purpose = text(order.kind, { count: order.photoIds.length, credits: order.credits });
    const lines = [`${text(order.method)}  ${amount}`, purpose, text('until', { time: until })];
    return draw(await glyphs, order.qr ?? '', lines);
  };
}

async function draw(glyphs: Glyphs, content: string, lines: readonly string[]): Promise<Buffer> {
  const { modules } = QRCode.create(content, { errorCorrectionLevel: 'M' });
  const cell = widthPx / (modules.size + 2 * quietModules);
  const squares: string[] = [];
  for (let y = 0; y < modules.size; y++)
    for (let x = 0; x < modules.size; x++)
      if (modules.get(y, x)) squares.push(`M${x + quietModules} ${y + quietModules}h1v1h-1z`);
  const heightPx = widthPx + lines.length * lineHeightPx + 24;
  const captions = lines.map((line, i) =>
    caption(glyphs, line, widthPx + (i + 0.7) * lineHeightPx),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">
<rect width="100%" height="100%" fill="#fff"/>
<path transform="scale(${cell})" d="${squares.join('')}" shape-rendering="crispEdges"/>
${captions.join('\n')}</svg>`;
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9, palette: true }).toBuffer();
}

/** One centred line. @param baselinePx from the top. */
function caption(glyphs: Glyphs, text: string, baselinePx: number): string {
  const wide = glyphs.line(text, fontPx).widthPx;
  const line = glyphs.line(text, fontPx * Math.min(1, (widthPx - 40) / wide));
  const left = (widthPx - line.widthPx) / 2;
  return `<g transform="translate(${left} ${baselinePx})">${line.svg}</g>`;
}
