import { z } from 'zod';
import { setting } from './setting.js';

/** Chat channels beside the page. A channel is on when its token or puppet is set. */
export const botSections = {
  telegram: z.strictObject({
    botToken: setting(
      z
        .string()
        .regex(/^\d+:[\w-]{30,}$/)
        .nullable(),
      { example: '123456789:AA... from @BotFather', env: 'TELEGRAM_BOT_TOKEN', secret: true },
    ),
    apiRoot: setting(z.url().nullable(), {
      example: 'http://127.0.0.1:8081',
      env: 'TELEGRAM_API_ROOT',
    }),
    operatorChatId: setting(
      z
        .string()
        .regex(/^-?\d+$/)
        .nullable(),
      { example: '"123456789"', env: 'TELEGRAM_OPERATOR_CHAT_ID' },
    ),
  }),
};
