import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { WebDeps } from './dependencies.js';
import { NoSuchPage } from './errors.js';
import { languageOf } from './language.js';

const style = `body{font:18px/1.5 system-ui,sans-serif;max-width:22rem;margin:12vh auto;padding:0 1rem;
text-align:center}img{width:100%;max-width:20rem;background:#fff}p{color:#555}`;
const policy = [
  "default-src 'none'",
  'img-src data:',
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
/** WeChat's login codes are replaced about twice a minute. */
const refreshSeconds = 5;

/**
 * `GET /console/<key>`: the operator's page, its address known to whoever can read the terminal or
 * the data folder. It shows the WeChat account's login and the QR code while one waits.
 */
export function consoleRoutes(app: FastifyInstance, deps: WebDeps): void {
  const { operatorPage } = deps;
  if (!operatorPage) return;
  app.get<{ Params: { key: string } }>(
    '/console/:key',
    { schema: { hide: true } },
    async (request, reply) => {
      if (!isEqual(request.params.key, operatorPage.key)) throw new NoSuchPage();
      const language = languageOf(request);
      const text = (key: string) => deps.messages.text(`bots.console.${key}`, language);
      const { state, qr } = operatorPage.wechat();
      const svg = qr ? await deps.qrSvg(qr) : undefined;
      const image = svg && `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
      return reply
        .type('text/html; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('content-security-policy', policy)
        .send(page(language, text('title'), text(state), image));
    },
  );
}

function page(language: string, title: string, words: string, image: string | undefined): string {
  return `<!doctype html><html lang="${language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="${refreshSeconds}">
<title>${title}</title><style>${style}</style>
<h1>${title}</h1>${image ? `<img alt="QR" src="${image}">` : ''}<p>${words}</p></html>`;
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
