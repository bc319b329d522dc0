import { PhotoUnreadable } from '../studio/errors/photo.js';
import type { ChatChannel } from '../studio/ports/channel.js';

/**
 * The page as a chat. It is told everything through live events and finds it all again on the next
 * visit, so there is nothing to send, and nothing to fetch: uploads arrive with their bytes.
 */
export function createWebChannel(): ChatChannel {
  return {
    id: 'web',
    async notify() {},
    async fetchFile() {
      throw new PhotoUnreadable('an upload without its file', undefined, 'gone');
    },
  };
}
