/** Longest name that is kept, in characters. */
const nameMax = 60;

/**
 * What a sender called a file, as a name and nothing else: without folders, extension, control
 * characters (the ones that turn the direction of writing too) and what file systems refuse.
 * @param given hostile.
 * @returns null when nothing is left.
 */
export function safeFileName(given: string | undefined): string | null {
  const base = (given ?? '').split(/[/\\]/).at(-1) ?? '';
  const plain = base
    .replace(/\.[^.]{1,10}$/u, '')
    .replace(/[\p{C}\p{Zl}\p{Zp}<>:"|?*%]/gu, '')
    .replace(/\s+/gu, ' ');
  const short = Array.from(plain).slice(0, nameMax).join('');
  return short.replace(/^[\s.~-]+|[\s.]+$/gu, '') || null;
}
