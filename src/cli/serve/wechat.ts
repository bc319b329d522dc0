import path from 'node:path';
import QRCode from 'qrcode';
import {
  openWechatDoor,
  type WechatConfig,
  type WechatDeps,
  type WechatDoor,
} from '../../bots/wechat/wechat-door.js';
import type { Shell } from '../shell.js';
import type { Shop } from './shop.js';

/** A puppet that lost its login mends itself within this, or is started anew. */
const graceMs = 30_000;
const reconnectMs = 5_000;

/** Tests bring their own puppet and hurry. */
export type WechatOverrides = Partial<Pick<WechatConfig, 'puppet' | 'graceMs' | 'reconnectMs'>>;

/** The account that WECHATY_PUPPET drives. */
export function openWechat(
  { config, output, t }: Shell,
  { chatLog, parts, logger: log }: Shop,
  deps: { alert: WechatDeps['alert']; page: () => string },
  overrides: WechatOverrides = {},
): WechatDoor | undefined {
  const { puppet, token, friendKeyword, operatorId: _, ...rest } = config.wechat;
  if (!puppet) return undefined;
  const { blobs, clock, places } = parts;
  return openWechatDoor(
    {
      ...{ ...deps, chatLog, blobs, clock, log },
      showScan(qr) {
        log.info('wechat.scan');
        output.record({ type: 'wechat.scan', qr });
        void QRCode.toString(qr, { type: 'terminal', small: true }).then((picture) =>
          output.notice(`${picture}\n${t('bots.wechat.scan', { page: deps.page() })}`),
        );
      },
    },
    {
      ...{ puppet, graceMs, reconnectMs, ...rest },
      ...(token ? { token } : {}),
      ...(friendKeyword ? { friendKeyword } : {}),
      timeZone: config.studio.timeZone,
      folder: path.join(places.dataDir, 'wechat'),
      ...overrides,
    },
  );
}
