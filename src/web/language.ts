import type { FastifyRequest } from 'fastify';
import type { Language } from '../studio/ports/basics.js';

/**
 * First language of an Accept-Language header that we speak. Browsers list them best first, so the
 * weights need no sorting.
 */
export function acceptedLanguage(header: string | undefined): Language | undefined {
  for (const item of (header ?? '').split(',')) {
    const tag = item.trim().toLowerCase();
    if (tag.startsWith('zh')) return 'zh-CN';
    if (tag.startsWith('en')) return 'en';
  }
  return undefined;
}

/**
 * What the request asks for (`?lang=` where headers cannot be set: EventSource, links), else the
 * customer's own, else English.
 */
export function languageOf(request: FastifyRequest): Language {
  const { lang } = (request.query ?? {}) as { lang?: unknown };
  return (
    acceptedLanguage(typeof lang === 'string' ? lang : undefined) ??
    acceptedLanguage(request.headers['accept-language']) ??
    request.visitor?.customer.language ??
    'en'
  );
}
