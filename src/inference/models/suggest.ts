/** The id a mistyped one was probably meant to be: at most a third of its letters differ. */
export function nearestId(typed: string, ids: readonly string[]): string | undefined {
  const wanted = typed.toLowerCase();
  const containing = ids.find((id) => wanted.length >= 4 && id.includes(wanted));
  if (containing) return containing;
  const ranked = ids.map((id) => ({ id, distance: editDistance(wanted, id) }));
  ranked.sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= Math.max(1, wanted.length / 3) ? best.id : undefined;
}

/** Levenshtein. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
