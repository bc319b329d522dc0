/** Widths that the server makes (src/web/thumbnails.ts), px. */
const widthsPx = [320, 640] as const;

/** A picture of the server's in a width of its. @param url with a query already. */
export function inWidth(url: string, widthPx: (typeof widthsPx)[number]): string {
  return `${url}&w=${widthPx}`;
}

/** The same picture in all widths. @param fullWidthPx of the file itself. */
export function allWidths(url: string, fullWidthPx: number): string {
  const smaller = widthsPx.filter((width) => width < fullWidthPx);
  return [
    ...smaller.map((width) => `${inWidth(url, width)} ${width}w`),
    `${url} ${fullWidthPx}w`,
  ].join(', ');
}
