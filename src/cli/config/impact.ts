import { z } from 'zod';
import { setting } from './setting.js';

const watts = (example: string) => setting(z.number().min(0).max(5_000), { example });

/** What `huancai report impact` takes as given; all of it is printed with the report. */
export const impactSections = {
  impact: z.strictObject({
    gridName: setting(z.string().min(1).max(80), { example: 'Yunnan 2022' }),
    gridKgPerKwh: setting(z.number().min(0).max(3), { example: '0.1073' }),
    gridSource: setting(z.string().min(1).max(200), { example: 'MEE' }),
    hostWatts: watts('30'),
    processorWatts: watts('65'),
    unknownCardWatts: watts('120'),
    ratedWatts: setting(
      z.array(z.strictObject({ card: z.string().min(1), watts: z.number().min(1).max(5_000) })),
      { example: '[{ card: GTX 1060, watts: 120 }]' },
    ),
    newCardKgCo2e: setting(z.number().min(0).max(2_000), { example: '60' }),
    newCardUncertaintyPercent: setting(z.number().min(0).max(200), { example: '60' }),
    newCardLifeMonths: setting(z.number().min(1).max(240), { example: '48' }),
    newCardSource: setting(z.string().min(1).max(200), { example: 'EcoDiag' }),
  }),
};
