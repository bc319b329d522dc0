import sharp from 'sharp';
import { loadGlyphs } from '../../inference/label/glyphs.js';
import { openEngine } from '../engine.js';
import { describeError } from '../errors.js';
import { openModelStore } from '../models/open-store.js';
import type { Check, Finding } from './check.js';

/** libvips must read and write every format we promise. */
export const checkFormats: Check = async () => {
  const wanted = ['jpeg', 'png', 'webp', 'tiff', 'heif'] as const;
  const missing = wanted.filter((name) => {
    const format = sharp.format[name];
    return !format?.input.file || !format.output.file;
  });
  const params = { libvips: sharp.versions.vips, missing: missing.join(', ') };
  const status = missing.length > 0 ? 'fail' : 'ok';
  return [{ name: 'formats', status, key: `doctor.formats.${status}`, params }];
};

/** Every character of the configured label can be drawn. */
export const checkLabelFont: Check = async ({ config }) => {
  const text = `${config.label.text} ${config.label.textElsewhere}`;
  const missing = (await loadGlyphs()).missing(text);
  if (missing.length === 0) return [{ name: 'label', status: 'ok', key: 'doctor.label.ok' }];
  const params = { text, missing: missing.join(' ') };
  return [{ name: 'label', status: 'fail', key: 'doctor.label.fail', params }];
};

/** Installed models are whole; the sizes on disk are compared, `huancai models verify` reads all. */
export const checkInstalled: Check = async (shell) => {
  const models = openModelStore(shell).list();
  const broken = models.filter((model) => model.damaged);
  const installed = models.filter((model) => model.installed);
  if (broken.length === 0) {
    const params = { installed: installed.map((model) => model.id).join(', ') };
    return [{ name: 'models', status: 'ok', key: 'doctor.models.ok', params }];
  }
  return broken.map(({ id }) => ({
    name: 'models',
    status: 'warn',
    key: 'doctor.models.warn',
    params: { model: id },
  }));
};

/** The configured model is here, fits, and runs on a configured provider. */
export const checkModel: Check = async (shell) => {
  const { model, providers } = shell.config.inference;
  const engine = openEngine(shell);
  try {
    const { provider, notes } = await engine.describe(model);
    const params = { model, provider, wanted: providers.join(', ') };
    const findings: Finding[] = [
      { name: 'model', status: 'ok', key: 'doctor.model.ok', params },
      provider === providers[0]
        ? { name: 'provider', status: 'ok', key: 'doctor.provider.ok', params }
        : { name: 'provider', status: 'warn', key: 'doctor.provider.warn', params },
    ];
    return findings.concat(notes.map((note) => ({ name: 'provider', status: 'warn', ...note })));
  } catch (error) {
    const reason = describeError(error, shell.t);
    return [{ name: 'model', status: 'fail', key: 'doctor.model.fail', params: { model, reason } }];
  } finally {
    await engine.close();
  }
};
