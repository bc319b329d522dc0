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
        .regex(/^-?\d+(?:\/\d+)?$/)
        .nullable(),
      { example: '"123456789"', env: 'TELEGRAM_OPERATOR_CHAT_ID' },
    ),
  }),
  wechat: z.strictObject({
    puppet: setting(z.string().min(1).nullable(), {
      example: 'wechaty-puppet-wechat4u',
      env: 'WECHATY_PUPPET',
    }),
    token: setting(z.string().min(1).nullable(), {
      example: 'puppet_workpro_...',
      env: 'WECHATY_TOKEN',
      secret: true,
    }),
    operatorId: setting(z.string().min(1).nullable(), {
      example: 'wxid_abcdef123456',
      env: 'WECHAT_OPERATOR_ID',
    }),
    acceptFriends: setting(z.boolean(), { example: 'true' }),
    friendKeyword: setting(z.string().min(1).nullable(), { example: '老照片' }),
    minPauseMs: setting(z.int().min(0).max(60_000), { example: '1500' }),
    maxPauseMs: setting(z.int().min(0).max(120_000), { example: '4000' }),
    messagesPerDay: setting(z.int().min(0), { example: '800' }),
    albumQuietMs: setting(z.int().min(100).max(60_000), { example: '6000' }),
    uploadBytes: setting(z.int().min(1_000_000), { example: '100000000' }),
  }),
};
