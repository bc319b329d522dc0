/** Words of PromQL that are no metric. */
const words = new Set(
  'and or unless bool offset by without on ignoring group_left group_right inf nan'.split(' '),
);

export interface Selector {
  readonly metric: string;
  /** Labels that are matched, and those that the expression groups or joins by. */
  readonly labels: readonly string[];
}

/**
 * Metrics and labels an expression names. Enough of PromQL for our own rules: `promtool` proves their
 * grammar where it is installed.
 */
export function selectorsOf(expression: string): Selector[] {
  const grouped = new Set<string>();
  const found: { metric: string; labels: string[] }[] = [];
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, list) => {
      for (const label of String(list).split(',')) grouped.add(label.trim());
      return ' ';
    })
    .replace(/\[[^\]]*\]/g, ' ');
  for (const [, metric, after, matchers] of bare.matchAll(
    /(?<![\w.])([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\(|\{([^}]*)\})?/g,
  )) {
    if (after === '(' || words.has(metric!.toLowerCase())) continue;
    const labels = [...(matchers ?? '').matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map((one) => one[1]!);
    found.push({ metric: metric!, labels });
  }
  return found.map(({ metric, labels }) => ({ metric, labels: [...labels, ...grouped] }));
}

/** Metrics a scrape exposes with the names queries use: a histogram has three. */
export function exposedBy(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const parts = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const part of parts) names.add(`${name}${part}`);
  }
  return names;
}

/** Value of a sample whose labels include these. */
export function sampleOf(text: string, metric: string, labels: Record<string, string> = {}) {
  for (const line of text.split('\n')) {
    const [, name, inside = '', value] = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name !== metric) continue;
    if (Object.entries(labels).every(([key, want]) => inside.includes(`${key}="${want}"`)))
      return Number(value);
  }
  return undefined;
}
