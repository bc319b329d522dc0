import { safeFileName } from '../../src/studio/file-name.js';
import { openShop } from '../support/shop.js';

test.each([
  ['grandma.jpg', 'grandma'],
  ['奶奶.tif', '奶奶'],
  ['/home/me/grandma.jpg', 'grandma'],
  ['C:\\photos\\grandma.jpg', 'grandma'],
  ['../../etc/passwd', 'passwd'],
  ['..', null],
  ['.jpg', null],
  ['', null],
  [undefined, null],
  ['a\r\nset-cookie: x\0.jpg', 'aset-cookie x'],
  ['\u202egpj.exe', 'gpj'],
  ['a "b" <c>|d?.jpg', 'a b cd'],
  ['Grandma, 12. May 1962.jpg', 'Grandma, 12. May 1962'],
  [`${'奶'.repeat(80)}.jpg`, '奶'.repeat(60)],
  [`${'👵'.repeat(80)}.jpg`, '👵'.repeat(60)],
  ['-rf.jpg', 'rf'],
  ['~.jpg', null],
])('%j is kept as %j', (given, kept) => {
  expect(safeFileName(given)).toBe(kept);
});

test('a name goes with its photo', async () => {
  const shop = await openShop();
  try {
    const { id: customerId, chat } = await shop.newCustomer();
    const file = await shop.picture();
    const sent = { customerId, chat, key: 'm1', file, fileName: '/tmp/grandma.jpg' };
    const { id, fileName } = await shop.studio.submitPhoto(sent);
    expect(fileName).toBe('grandma');
    await shop.studio.deletePhoto(customerId, id);
    expect(await shop.store.read.photos.find(id)).toMatchObject({ fileName: null });
  } finally {
    await shop.close();
  }
});
