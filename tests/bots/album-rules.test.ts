import { type AlbumRules, type IncomingAlbum, joins, pauseMs } from '../../src/bots/album-rules.js';

const telegram: AlbumRules = {
  ...{ quietMs: 1_200, gatherMaxMs: 5_000, betweenMs: 6_000 },
  ...{ batchPhotos: 10, marksGroups: true },
};
const wechat: AlbumRules = { ...telegram, quietMs: 6_000, batchPhotos: 9, marksGroups: false };
const sentMs = 1_000_000;
const photo = (n: number) => ({ fileRef: `f${n}`, key: `k${n}`, compressed: true });

function album(count: number, more: Partial<IncomingAlbum> = {}): IncomingAlbum {
  return {
    ...{ albumId: 'a', chatId: '1', userId: '1', isGroup: false, photos: [], follows: false },
    ...{ taken: Array.from({ length: count }, (_, i) => `k${i}`), inGroup: count },
    ...{ lastMs: sentMs, waitingSinceMs: 0, closed: false, ...more },
  };
}
const after = (ms: number, groupId?: string) => ({
  ...{ photo: photo(99), sentMs: sentMs + ms },
  ...(groupId ? { groupId } : {}),
});

test('after a full batch the next one joins, however slow the upload', () => {
  const full = album(10, { groupId: 'g1' });
  expect(joins(full, after(3_000, 'g2'), telegram, false)).toBe(true);
  expect(joins(full, after(90_000, 'g2'), telegram, false)).toBe(true);
  expect(joins(full, after(150_000, 'g2'), telegram, false)).toBe(false);
  expect(joins(album(9), after(90_000), wechat, false)).toBe(true);
});

test('a batch that was not full was the last: only what follows at once joins', () => {
  const short = album(4, { groupId: 'g1' });
  expect(joins(short, after(2_000, 'g2'), telegram, false)).toBe(true);
  expect(joins(short, after(9_000, 'g2'), telegram, false)).toBe(false);
  // Photos on their own are no batches, ten of them neither.
  expect(joins(album(10, { inGroup: 0 }), after(9_000), telegram, false)).toBe(false);
  expect(joins(album(1, { inGroup: 0 }), after(4_000), telegram, false)).toBe(true);
});

test('what was priced is not joined any more, except by its own stragglers', () => {
  const full = album(10, { groupId: 'g1' });
  expect(joins(full, after(1_000, 'g2'), telegram, true)).toBe(false);
  expect(joins(full, after(30_000, 'g1'), telegram, true)).toBe(true);
});

test('fifty photos are an album; the next one is not part of it', () => {
  expect(joins(album(49, { groupId: 'g5' }), after(0, 'g5'), telegram, false)).toBe(true);
  expect(joins(album(50, { groupId: 'g5' }), after(0, 'g5'), telegram, false)).toBe(false);
  expect(joins(album(50), after(0), wechat, false)).toBe(false);
});

test('a price waits where more may come, and nowhere else', () => {
  expect(pauseMs(album(10, { groupId: 'g1' }), telegram, sentMs)).toBe(20_000);
  expect(pauseMs(album(4, { groupId: 'g1' }), telegram, sentMs)).toBe(2_000);
  expect(pauseMs(album(50, { groupId: 'g5' }), telegram, sentMs)).toBe(0);
  expect(pauseMs(album(3), wechat, sentMs)).toBe(0);
  expect(pauseMs(album(18), wechat, sentMs)).toBe(20_000);
});

test('photos that keep coming are handed over in time all the same', () => {
  const waiting = album(3, { photos: [photo(1)], waitingSinceMs: sentMs });
  expect(pauseMs(waiting, telegram, sentMs + 1_000)).toBe(1_200);
  expect(pauseMs(waiting, telegram, sentMs + 4_500)).toBe(500);
  expect(pauseMs(waiting, telegram, sentMs + 60_000)).toBe(0);
});
