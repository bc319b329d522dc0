import type { StudioConfig } from '../../studio/config.js';
import type { Config } from '../config.js';

/** The studio's settings out of all settings. */
export function studioConfigOf(config: Config): StudioConfig {
  const { label } = config;
  return {
    prices: {
      ...{ hdCredits: 1, hdAmountFen: 990, hdStars: 70, welcomeCredits: 0 },
      freePreviewsPerDay: 20,
      packs: [{ id: 'ten', credits: 10, amountFen: 6900, stars: 500 }],
    },
    presets: { auto: { model: config.inference.model, finishing: {} } },
    defaultPreset: 'auto',
    variants: [{ finishing: { strength: 0.8 } }, { finishing: { strength: 1.2 } }],
    preview: { longEdgePx: 1280, watermark: label.producer },
    label: { ...(label.visible ? { text: label.text } : {}), producer: label.producer },
    methods: {
      web: ['alipay', 'wechatpay', 'sandbox'],
      telegram: ['stars', 'alipay', 'wechatpay', 'sandbox'],
      wechat: ['wechatpay', 'alipay', 'sandbox'],
    },
    orderMinutes: 30,
    linkCodeMinutes: 10,
    undeliverable: 'refund',
    timeZone: 'Asia/Shanghai',
    intake: { waitingPerCustomer: 100, waitingTotal: 5000, minFreeBytes: 500_000_000 },
    retentionDays: { original: 30, chroma: 30, preview: 30, master: 90 },
  };
}
