import type { CatalogEntry } from './catalog.js';
import type { VerifiedSource } from './fetch-verified.js';
import { createStallGuard, type Fetch, get, type HttpRules } from './http.js';
import { type ModelRecord, parseRecord } from './records.js';

/** An address and the format of what lies there. */
export interface PlannedSource extends VerifiedSource {
  readonly format: CatalogEntry['format'];
}

const MAX_RECORD_CHARS = 10_000;

/**
 * Where to get a model, in order. An operator's mirror may hold the finished model (`<id>.onnx` with
 * its record `<id>.json`, as `huancai models publish` writes them) or a copy of the upstream file.
 */
export async function planSources(
  fetch: Fetch,
  entry: CatalogEntry,
  mirrors: readonly string[],
  seenHash: string | undefined,
  rules: HttpRules,
): Promise<PlannedSource[]> {
  const { format, bytes, sha256Prefix } = entry;
  const known = { format, bytes, sha256: entry.sha256 ?? seenHash, sha256Prefix };
  const planned: PlannedSource[] = [];
  for (const mirror of mirrors) {
    const base = mirror.replace(/\/+$/, '');
    const record = await publishedRecord(fetch, `${base}/${entry.id}.json`, entry, rules);
    if (record)
      planned.push({
        url: `${base}/${entry.id}.onnx`,
        format: 'onnx',
        bytes: record.bytes,
        sha256: record.sha256,
      });
    planned.push({ url: `${base}/${entry.file}`, ...known });
  }
  return [...planned, ...entry.sources.map((url) => ({ url, ...known }))];
}

/** A mirror without a record, or with one that contradicts the catalog, is passed over. */
async function publishedRecord(
  fetch: Fetch,
  url: string,
  entry: CatalogEntry,
  rules: HttpRules,
): Promise<ModelRecord | undefined> {
  const guard = createStallGuard(rules);
  try {
    const response = await get(fetch, url, {}, rules, guard);
    const length = Number(response.headers.get('content-length') ?? 0);
    if (!response.ok || length > MAX_RECORD_CHARS) {
      await response.body?.cancel();
      return undefined;
    }
    const record = parseRecord((await response.text()).slice(0, MAX_RECORD_CHARS));
    const contradicts = entry.format === 'onnx' && entry.sha256 && record.sha256 !== entry.sha256;
    return record.id === entry.id && !contradicts ? record : undefined;
  } catch (error) {
    if (rules.signal?.aborted) throw error;
    return undefined;
  } finally {
    guard.close();
  }
}
