import { toString as qrToString } from 'qrcode';

/** Quarter of the modules may be lost: chat apps recompress pictures. */
const errorCorrectionLevel = 'M';
/** White modules around the code; ISO 18004 asks for four. */
const quietZone = 4;

/** A QR code as SVG markup, black on white, for pages. @param text at most about 1,200 bytes. */
export async function qrSvg(text: string): Promise<string> {
  return qrToString(text, { type: 'svg', errorCorrectionLevel, margin: quietZone });
}
