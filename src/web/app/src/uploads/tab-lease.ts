/** A tab in the background may be woken once a minute only. */
const expiresMs = 90_000;
const renewMs = 5_000;
const prefix = 'huancai.tab.';

/** Random hex digits; also where the page comes over plain http. */
export function randomHex(bytes: number): string {
  const values = crypto.getRandomValues(new Uint8Array(bytes));
  return [...values].map((value) => value.toString(16).padStart(2, '0')).join('');
}

/** This tab, also after it was loaded again. */
export const thisTab = ((): string => {
  const known = sessionStorage.getItem(prefix) ?? randomHex(8);
  sessionStorage.setItem(prefix, known);
  return known;
})();

/** Two tabs must not send the same file: each says now and then that it is still there. */
export function holdLease(): void {
  const renew = () => localStorage.setItem(prefix + thisTab, String(Date.now()));
  renew();
  setInterval(renew, renewMs);
  addEventListener('pagehide', () => localStorage.removeItem(prefix + thisTab));
  addEventListener('pageshow', renew);
}

/** Whether another tab that is still there sends what it owns. */
export function isElsewhere(owner: string): boolean {
  if (owner === thisTab) return false;
  return Date.now() - Number(localStorage.getItem(prefix + owner) ?? 0) < expiresMs;
}
