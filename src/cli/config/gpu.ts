import { z } from 'zod';
import { setting } from './setting.js';

const celsius = (example: string) => setting(z.number().min(30).max(110), { example });

/** How cards are watched and spared. */
export const gpuSections = {
  gpu: z.strictObject({
    watch: setting(z.enum(['auto', 'on', 'off']), { example: 'on' }),
    nvidiaSmi: setting(z.string().min(1), { example: '/usr/bin/nvidia-smi' }),
    rocmSmi: setting(z.string().min(1), { example: '/opt/rocm/bin/rocm-smi' }),
    pollMs: setting(z.int().min(100).max(120_000), { example: '15000' }),
    timeoutMs: setting(z.int().min(100).max(60_000), { example: '10000' }),
    pauseC: celsius('83'),
    resumeBelowC: setting(z.number().min(1).max(40), { example: '10' }),
    slowdownMarginC: setting(z.number().min(0).max(40), { example: '10' }),
    stopC: celsius('90'),
    holdMs: setting(z.int().min(0).max(3_600_000), { example: '60000' }),
    allowCpuWhilePaused: setting(z.boolean(), { example: 'true' }),
  }),
};
