import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { writeAtomically } from '../../inference/codec/atomic-file.js';
import { makeFolder } from '../../inference/codec/make-folder.js';
import { pictureOption, readPhotoHeader } from '../../inference/codec/photo-header.js';
import { limits } from '../../studio/limits.js';
import { escapeHtml } from '../html.js';
import type { Shell } from '../shell.js';
import type { PhotoOutcome } from './batch.js';
import { filesOf, toldPhoto } from './outputs.js';

/** Long edge of a picture on the page, px: sharp at half the width of a large window. */
const thumbnailPx = 560;

interface Pair {
  readonly name: string;
  readonly facts: string;
  readonly before: string;
  readonly after: string;
}

/**
 * A folder with `index.html` and small pictures, before and after of every photo that has a result:
 * nothing outside the folder is needed to look at it. What cannot be shown is left out.
 */
export async function writeSheetPage(
  folder: string,
  outcomes: readonly PhotoOutcome[],
  shell: Pick<Shell, 't' | 'language' | 'now'>,
): Promise<{ readonly file: string; readonly photos: number }> {
  const pictures = path.join(folder, 'pictures');
  makeFolder(pictures);
  const pairs: Pair[] = [];
  const sorted = [...outcomes].sort((a, b) => a.task.relative.localeCompare(b.task.relative));
  for (const outcome of sorted) {
    const pair = await pairOf(outcome, pictures, shell).catch(() => undefined);
    if (pair) pairs.push(pair);
  }
  const file = path.join(folder, 'index.html');
  await writeFile(file, page(pairs, shell));
  return { file, photos: pairs.length };
}

async function pairOf(
  { task, status, prediction, seconds }: PhotoOutcome,
  folder: string,
  { t }: Pick<Shell, 't'>,
): Promise<Pair | undefined> {
  const [result] = filesOf(task);
  if ((status !== 'done' && status !== 'skipped') || !result || !existsSync(result))
    return undefined;
  const id = createHash('sha256').update(toldPhoto(task)).digest('hex').slice(0, 16);
  const [before, after] = [`${id}-before.jpg`, `${id}-after.jpg`];
  await thumbnail(task.file, path.join(folder, before));
  await thumbnail(result, path.join(folder, after));
  const facts = prediction
    ? t('archive.facts', {
        ...{ model: prediction.model, seconds: seconds.toFixed(1) },
        size: `${prediction.inputWidthPx} × ${prediction.inputHeightPx}`,
      })
    : t('archive.doneBefore');
  return { name: task.relative, facts, before: `pictures/${before}`, after: `pictures/${after}` };
}

/** The label inside a result goes along. */
async function thumbnail(from: string, to: string): Promise<void> {
  await writeAtomically(to, async (temporary) => {
    const picture = pictureOption(await readPhotoHeader(from, limits.photo));
    const limitInputPixels = limits.photo.megapixels * 1e6;
    // A damaged photo is shown as far as it goes, as it was coloured.
    await sharp(from, { limitInputPixels, sequentialRead: true, failOn: 'none', ...picture })
      .autoOrient()
      .resize(thumbnailPx, thumbnailPx, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .toColourspace('srgb')
      .keepXmp()
      .jpeg({ quality: 82 })
      .toFile(temporary);
  });
}

function page(pairs: readonly Pair[], { t, language, now }: Pick<Shell, 't' | 'language' | 'now'>) {
  const say = (key: string, params?: Record<string, string | number>) =>
    escapeHtml(t(`archive.${key}`, params));
  const made = new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(now());
  const figures = pairs.map(({ name, facts, before, after }) => {
    const [shown, said] = [name, facts].map(escapeHtml);
    return `<figure><div class="pair">
<span><img src="${before}" alt="${say('before')}" loading="lazy"><b>${say('before')}</b></span>
<span><img src="${after}" alt="${say('after')}" loading="lazy"><b>${say('after')}</b></span>
</div><figcaption>${shown}<small>${said}</small></figcaption></figure>`;
  });
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${say('title')}</title>
<style>${style}</style>
<header><h1>${say('title')}</h1><p>${say('count', { count: pairs.length, date: made })}</p></header>
<main>${figures.join('\n')}</main>
</html>
`;
}

const style = `
:root { color: #efece6; background: #1b1a18; font: 15px/1.5 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
body { margin: 0 auto; padding: 32px 24px 64px; max-width: 1500px; }
header { margin-bottom: 28px; }
h1 { font-size: 28px; margin: 0; }
p, small { color: #a9a49a; margin: 0; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); gap: 28px; align-items: start; }
figure { margin: 0; background: #262421; border-radius: 8px; overflow: hidden; break-inside: avoid; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; background: #1b1a18; }
.pair span { position: relative; display: flex; align-items: center; justify-content: center; background: #121110; }
.pair img { width: 100%; height: auto; display: block; }
.pair b { position: absolute; top: 8px; left: 8px; padding: 1px 9px; border-radius: 99px; font-size: 12px; font-weight: 500; background: #0009; }
figcaption { padding: 10px 14px 12px; overflow-wrap: anywhere; }
small { display: block; font-size: 13px; }
@media print { :root { color: #222; background: #fff; } body { padding: 0; } figure { background: none; border: 1px solid #ccc; } .pair { background: #fff; } p, small { color: #555; } .pair b { color: #fff; } }
`;
