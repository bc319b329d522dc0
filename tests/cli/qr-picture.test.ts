import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { createMessages } from '../../src/cli/messages.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { createQrPicture } from '../../src/cli/serve/qr-picture.js';
import type { OrderView } from '../../src/studio/ports/studio.js';

// Debian's own interpreter has the packages, even where another one comes first on the path.
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
/** WeChat's own decoder, as it gave it to OpenCV. */
const decode = `import cv2, sys
print('|'.join(cv2.wechat_qrcode_WeChatQRCode().detectAndDecode(cv2.imread(sys.argv[1]))[0]))`;
let dir: string;
jest.setTimeout(180_000);
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'huancai-qr-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const draw = createQrPicture(
  createMessages(path.join(packageRoot, 'config', 'messages')),
  'Asia/Shanghai',
);
const codes = {
  alipay: 'https://qr.alipay.com/bax03431ljhokirwl38f00a7',
  wechatpay: 'weixin://wxpay/bizpayurl?pr=p4lpSuKzz',
};
function order(method: keyof typeof codes, over: Partial<OrderView> = {}): OrderView {
  return {
    ...{ id: 'or_1', kind: 'unlock', method, qr: codes[method], currency: 'CNY' },
    ...{ amountMinor: 990, photoIds: ['ph_1'], credits: 1, expiresAtMs: 1_800_000_000_000 },
    ...over,
  } as OrderView;
}

/** As a chat shows it: scaled down, compressed again. */
async function read(png: Uint8Array, widthPx: number): Promise<string> {
  const file = path.join(dir, 'shown.jpg');
  writeFileSync(file, await sharp(png).resize(widthPx).jpeg({ quality: 60 }).toBuffer());
  return execFileSync(python, ['-c', decode, file], { encoding: 'utf8' }).trim();
}

test.each(['alipay', 'wechatpay'] as const)(
  'the code for %s is read by a camera out of a chat bubble, in both languages',
  async (method) => {
    for (const language of ['en', 'zh-CN'] as const) {
      const png = await draw(order(method), language);
      for (const widthPx of [640, 320]) expect(await read(png, widthPx)).toBe(codes[method]);
    }
  },
);

test('amount, purpose and expiry stand under the code and differ with the order', async () => {
  const captionOf = async (over: Partial<OrderView>) => {
    const png = await draw(order('alipay', over), 'zh-CN');
    const { width, height } = await sharp(png).metadata();
    expect(width).toBe(640);
    expect(height).toBeGreaterThan(640 + 3 * 40);
    const area = { left: 0, top: 640, width: 640, height: height! - 640 };
    return sharp(png).extract(area).greyscale().raw().toBuffer();
  };
  const plain = await captionOf({});
  // Ink in each of the three lines.
  for (const line of [0, 1, 2]) {
    const rows = plain.subarray((line * 44 + 2) * 640, (line * 44 + 42) * 640);
    expect(rows.some((value) => value < 96)).toBe(true);
  }
  const others: Partial<OrderView>[] = [
    { amountMinor: 1_290 },
    { photoIds: ['ph_1', 'ph_2'] },
    { kind: 'topup', credits: 10 },
    { expiresAtMs: 1_800_000_000_000 + 600_000 },
  ];
  for (const over of others) expect((await captionOf(over)).equals(plain)).toBe(false);
});
