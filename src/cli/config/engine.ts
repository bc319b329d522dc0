import { z } from 'zod';
import { limits } from '../../studio/limits.js';
import { setting } from './setting.js';

/** Sections of the engine: where things lie, which photos are taken, how they are coloured. */
export const engineSections = {
  paths: z.strictObject({
    dataDir: setting(z.string().min(1).nullable(), {
      example: '/var/lib/huancai',
      env: 'HUANCAI_DATA_DIR',
    }),
    tempDir: setting(z.string().min(1).nullable(), {
      example: '/var/tmp',
      env: 'HUANCAI_TEMP_DIR',
    }),
  }),
  photo: z.strictObject({
    megapixels: setting(z.number().positive().max(limits.photo.megapixels), { example: '120' }),
    fileBytes: setting(z.int().positive().max(limits.photo.fileBytes), { example: '2000000000' }),
  }),
  inference: z.strictObject({
    model: setting(z.string().min(1), { example: 'starter' }),
    fit: setting(z.enum(['stretch', 'letterbox', 'aspect']).nullable(), { example: 'stretch' }),
    upsampling: setting(z.enum(['guided', 'bilinear', 'reference']), { example: 'guided' }),
    providers: setting(z.array(z.enum(['cuda', 'webgpu', 'dml', 'coreml', 'cpu'])).min(1), {
      example: '[cuda, cpu]',
    }),
    deviceId: setting(
      z
        .union([z.int().min(0), z.array(z.int().min(0)).min(1)], {
          error: 'expected a number, or a list of them',
        })
        .nullable(),
      { example: '[0, 1]' },
    ),
    threads: setting(z.int().min(0).max(256), { example: '0' }),
    startTimeoutMs: setting(z.int().positive(), { example: '60000' }),
    runTimeoutMs: setting(z.int().positive(), { example: '180000' }),
    idleUnloadMs: setting(z.int().min(0), { example: '600000' }),
  }),
  label: z.strictObject({
    visible: setting(z.boolean(), { example: 'true' }),
    text: setting(z.string().min(1).max(40), { example: 'AI 合成' }),
    textElsewhere: setting(z.string().min(1).max(40), { example: 'AI' }),
    without: setting(z.enum(['never', 'ask', 'always']), { example: 'ask' }),
    producer: setting(z.string().min(1).max(200), { example: 'Huancai' }),
  }),
};
