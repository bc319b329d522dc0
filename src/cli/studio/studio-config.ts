import path from 'node:path';
import { presetNames, readPreset } from '../../inference/presets.js';
import type { Preset, StudioConfig } from '../../studio/config.js';
import { perChannel } from '../../studio/ports/basics.js';
import type { Config } from '../config.js';
import { packageRoot } from '../package-root.js';

/** The studio's part of the settings. */
export function studioConfigOf(config: Config): StudioConfig {
  const { prices, channels, studio, preview, variants, retention, label, inference } = config;
  const { waitingPerCustomer, waitingTotal, minFreeBytes } = studio;
  return {
    prices,
    presets: presetsOf(inference.model),
    defaultPreset: presetNames[0],
    variants: variants.list.map(({ model, sizePx, ...finishing }) => ({
      model,
      sizePx,
      finishing,
    })),
    preview,
    label: {
      ...{ producer: label.producer, without: label.without },
      ...(label.visible ? { texts: { 'zh-CN': label.text, en: label.textElsewhere } } : {}),
    },
    methods: perChannel((id) => channels[id].methods),
    orderMinutes: studio.orderMinutes,
    linkCodeMinutes: studio.linkCodeMinutes,
    undeliverable: studio.undeliverable,
    timeZone: studio.timeZone,
    intake: { waitingPerCustomer, waitingTotal, minFreeBytes },
    retentionDays: {
      original: retention.originalDays,
      chroma: retention.chromaDays,
      preview: retention.previewDays,
      master: retention.masterDays,
    },
  };
}

function presetsOf(model: string): Record<string, Preset> {
  const dir = path.join(packageRoot, 'config', 'workflows');
  const entries = presetNames.map((name) => {
    const { sizePx } = readPreset(dir, name);
    return [name, { model, finishing: {}, ...(sizePx === undefined ? {} : { sizePx }) }];
  });
  return Object.fromEntries(entries);
}
