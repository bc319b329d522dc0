import type { ChatRef } from '../studio/jobs.js';
import {
  type ChannelSection,
  type ChatChannelId,
  chatChannelNames,
} from '../studio/ports/basics.js';
import type { Config } from './config.js';

/** The sections of all channels; one without a section does not compile. */
type ChatSettings = Pick<Config, ChannelSection>;

interface ChatSetting {
  /** What turns it on; null: it is off. */
  readonly on: string | null;
  /** The operator's own chat there. */
  readonly operatorId: string | null;
}

/** How the settings say that a chat is on, and where its operator is. */
const settingOf: Readonly<Record<ChatChannelId, (config: ChatSettings) => ChatSetting>> = {
  telegram: ({ telegram }) => ({ on: telegram.botToken, operatorId: telegram.operatorChatId }),
  wechat: ({ wechat }) => ({ on: wechat.puppet, operatorId: wechat.operatorId }),
};

/** Whether the settings turn a chat on. */
export function isChatOn(config: ChatSettings, channel: ChatChannelId): boolean {
  return Boolean(settingOf[channel](config).on);
}

/** The operator is in one place: the first chat that is on and has an operator. */
export function operatorChat(config: ChatSettings): ChatRef | undefined {
  for (const channel of chatChannelNames) {
    const { on, operatorId } = settingOf[channel](config);
    if (on && operatorId) return { channel, chatId: operatorId };
  }
  return undefined;
}
