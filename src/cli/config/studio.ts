import { z } from 'zod';
import { channels, perChannel } from '../../studio/ports/basics.js';
import { methodNames } from '../../studio/ports/gateway.js';
import { setting } from './setting.js';

const days = () => setting(z.number().min(0).max(36_500), { example: '30' });
const method = z.enum(methodNames);
const methods = (example: string) =>
  z.strictObject({ methods: setting(z.array(method), { example }) });
const price = (example: string) => setting(z.int().min(1).max(100_000_000), { example });

/** What things cost, what is free, how photos are shown and how long they are kept. */
export const studioSections = {
  prices: z.strictObject({
    hdCredits: price('1'),
    hdAmountFen: price('990'),
    hdStars: price('70'),
    welcomeCredits: setting(z.int().min(0).max(1000), { example: '1' }),
    freePreviewsPerDay: setting(z.int().min(0).max(100_000), { example: '50' }),
    packs: setting(
      z.array(
        z.strictObject({
          id: z.string().regex(/^[a-z0-9-]{1,32}$/),
          credits: z.int().min(1).max(1_000_000),
          amountFen: z.int().min(1).max(100_000_000),
          stars: z.int().min(1).max(100_000).optional(),
        }),
      ),
      { example: '[{ id: ten, credits: 10, amountFen: 6900, stars: 500 }]' },
    ),
  }),
  channels: z.strictObject(perChannel((id) => methods(`[${channels[id].suits.join(', ')}]`))),
  studio: z.strictObject({
    orderMinutes: setting(z.int().min(5).max(120), { example: '30' }),
    linkCodeMinutes: setting(z.int().min(1).max(1440), { example: '10' }),
    undeliverable: setting(z.enum(['refund', 'credit']), { example: 'refund' }),
    timeZone: setting(z.string().refine(isTimeZone, { error: 'no such time zone' }), {
      example: 'Asia/Shanghai',
    }),
    waitingPerCustomer: setting(z.int().min(1).max(100_000), { example: '200' }),
    waitingTotal: setting(z.int().min(1).max(10_000_000), { example: '20000' }),
    minFreeBytes: setting(z.int().min(0), { example: '500000000' }),
  }),
  preview: z.strictObject({
    longEdgePx: setting(z.int().min(256).max(4096), { example: '1280' }),
    watermark: setting(z.string().min(1).max(60), { example: '焕彩 Huancai' }),
  }),
  variants: z.strictObject({
    list: setting(
      z
        .array(
          z.strictObject({
            model: z.string().min(1).optional(),
            sizePx: z.int().min(64).max(2048).optional(),
            strength: z.number().min(0).max(1.5).optional(),
            warmth: z.number().min(-1).max(1).optional(),
          }),
        )
        .min(1),
      { example: '[{ sizePx: 384 }, { strength: 0.8, warmth: 0.2 }]' },
    ),
  }),
  retention: z.strictObject({
    originalDays: days(),
    chromaDays: days(),
    previewDays: days(),
    masterDays: days(),
  }),
};

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
