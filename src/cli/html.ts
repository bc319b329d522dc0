/** Text for a page or an attribute in double quotes. */
export function escapeHtml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
  };
  return text.replace(/[&<>"']/g, (one) => named[one]!);
}
