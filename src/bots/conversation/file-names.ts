import type { PhotoView } from '../../studio/ports/studio.js';

type Named = Pick<PhotoView, 'id' | 'fileName'>;

/** `grandma-colour` for what came as grandma.jpg; the extension follows from the file itself. */
export function masterName({ id, fileName }: Named): string {
  return fileName ? `${fileName}-colour` : `huancai-${id.slice(-6)}`;
}

/** Names of an album's files side by side: where two are alike, or have none, numbers tell them apart. */
export function namesTogether(photos: readonly Named[]): string[] {
  const used = new Set<string>();
  return photos.map(({ id, fileName }, i) => {
    const place = String(i + 1).padStart(2, '0');
    const plain = fileName ? masterName({ id, fileName }) : `huancai-${place}`;
    let name = plain;
    // As file systems compare names that ignore case.
    for (let n = 2; used.has(name.toLowerCase()); n++) name = `${plain}-${n}`;
    used.add(name.toLowerCase());
    return name;
  });
}
