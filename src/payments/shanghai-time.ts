/** China has had one zone without summer time since 1991: a constant is exact. */
const offsetMs = 8 * 3_600_000;

/** `yyyy-MM-dd HH:mm:ss` in China standard time, as Alipay wants it. */
export function toShanghaiTime(atMs: number): string {
  return new Date(atMs + offsetMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** Inverse of {@link toShanghaiTime}; undefined when the text is not such a time. */
export function fromShanghaiTime(text: string | undefined): number | undefined {
  if (!text || !/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)) return undefined;
  const atMs = Date.parse(`${text.replace(' ', 'T')}Z`);
  return Number.isNaN(atMs) ? undefined : atMs - offsetMs;
}

/** `2018-06-08T10:34:56+08:00`, as WeChat Pay wants it. */
export function toShanghaiRfc3339(atMs: number): string {
  return `${toShanghaiTime(atMs).replace(' ', 'T')}+08:00`;
}
