import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/**
 * Outlines of the characters labels may use: text becomes SVG paths, the same on every machine, and
 * no installed font is asked. Made by assets/fonts/build-glyphs.py.
 */
export interface Glyphs {
  /** Characters of `text` there is no outline for. */
  missing(text: string): string[];
  /** `text` on one line, baseline at 0, `emPx` high. */
  line(text: string, emPx: number): GlyphLine;
  /** Height of a capital letter at `emPx`, px. */
  capHeightPx(emPx: number): number;
}

/** A line of text as outlines. */
export interface GlyphLine {
  readonly widthPx: number;
  /** SVG elements that take the fill of what they are put in. */
  readonly svg: string;
}

interface GlyphFile {
  readonly unitsPerEm: number;
  readonly capHeight: number;
  /** Advance and path with relative coordinates, y downwards. */
  readonly glyphs: Readonly<Record<string, readonly [number, string]>>;
}

const FILE = path.resolve(__dirname, '../../../assets/fonts/label-glyphs.json.gz');

/** The outlines that ship with the package. */
export async function loadGlyphs(): Promise<Glyphs> {
  const text = await promisify(gunzip)(await readFile(FILE));
  const font = JSON.parse(text.toString('utf8')) as GlyphFile;
  const has = (char: string) => Object.hasOwn(font.glyphs, char);
  return {
    missing: (text) => [...new Set(text)].filter((char) => !has(char)),
    line(text, emPx) {
      const scale = emPx / font.unitsPerEm;
      let x = 0;
      const parts: string[] = [];
      for (const char of text) {
        const [advance, outline] = font.glyphs[char] ?? [0, ''];
        if (outline) parts.push(`<path transform="translate(${x})" d="${outline}"/>`);
        x += advance;
      }
      return { widthPx: x * scale, svg: `<g transform="scale(${scale})">${parts.join('')}</g>` };
    },
    capHeightPx: (emPx) => (font.capHeight / font.unitsPerEm) * emPx,
  };
}
