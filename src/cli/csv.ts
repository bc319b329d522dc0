/** RFC 4180 with a byte order mark, so that spreadsheets show Chinese. */
export function csvTable(rows: readonly (readonly string[])[]): string {
  return `\uFEFF${rows.map((cells) => cells.map(quoted).join(',')).join('\r\n')}\r\n`;
}

/** A cell that a spreadsheet would take for a formula is told as text. */
function quoted(cell: string): string {
  const plain = /^-?\d/.test(cell) ? cell : cell.replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
