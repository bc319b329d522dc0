import sharp from 'sharp';
import { openEngine } from '../engine.js';
import { describeError } from '../errors.js';
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

export const checkLabelFont: Check = async () => [];

/** The configured model is here, fits, and runs on a configured provider. */
export const checkModels: Check = async (shell) => {
  const { model, providers } = shell.config.inference;
  const engine = await openEngine(shell);
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
