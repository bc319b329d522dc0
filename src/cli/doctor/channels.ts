import { chatChannelNames } from '../../studio/ports/basics.js';
import { isChatOn } from '../chats.js';
import type { Check } from './check.js';

/** Which chats the bots are in, and what the others need. Not set up is no fault. */
export const checkChannels: Check = async ({ config, t }) =>
  chatChannelNames.map((id) => ({
    name: 'channels',
    status: 'ok',
    ...(isChatOn(config, id)
      ? { key: 'doctor.channels.on', params: { channel: t(`channel.name.${id}`) } }
      : { key: `doctor.channels.off.${id}` }),
  }));
