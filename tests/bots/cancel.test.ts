import path from 'node:path';
import { cancel } from '../../src/bots/conversation/answers/ending.js';
import type { ConversationDeps } from '../../src/bots/conversation/talk.js';
import { createMessages } from '../../src/cli/messages.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { openShop } from '../support/shop.js';

test('a photo that becomes ready in the same moment keeps no other from being cancelled', async () => {
  const shop = await openShop();
  try {
    const someone = await shop.newCustomer();
    const [first, second, third] = [
      await shop.submit(someone),
      await shop.submit(someone),
      await shop.submit(someone),
    ];
    const photos: typeof shop.studio.photos = async (...asked) => {
      const seen = await shop.studio.photos(...asked);
      await shop.store.transaction((t) => t.photos.update(second.id, { state: 'ready' }));
      return seen;
    };
    const messages = createMessages(path.join(packageRoot, 'config', 'messages'));
    const deps = { ...shop, messages, studio: { ...shop.studio, photos } };
    const talk = { customer: someone, chat: someone.chat, key: 'k' };
    const replies = await cancel(deps as unknown as ConversationDeps, talk as never);
    expect(replies).toHaveLength(1);
    const states = [first, second, third].map(async ({ id }) => {
      const { status } = await shop.studio.photo(someone.id, id);
      return status;
    });
    expect(await Promise.all(states)).toEqual(['cancelled', 'ready', 'cancelled']);
  } finally {
    await shop.close();
  }
});
