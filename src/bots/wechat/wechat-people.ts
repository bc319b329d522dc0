import type { ContactInterface } from 'wechaty/impls';
import type { ChatLog } from '../../studio/ports/chat-log.js';

const cacheMax = 10_000;

/** Names of people that outlive a login. */
export interface WechatPeople {
  /** The person behind a contact: the same for ever where the puppet knows the WeChat id. */
  personOf(contact: ContactInterface): Promise<string>;
  /** The contact through which a person is reached now. */
  contactIdOf(personId: string): Promise<string>;
}

/**
 * Some puppets give every contact a new id at each login. The WeChat id, where one is told, stays;
 * what a contact was first known by stays as well.
 */
export function createWechatPeople({ chatLog }: { chatLog: ChatLog }): WechatPeople {
  const known = new Map<string, string>();

  async function personOf(contact: ContactInterface): Promise<string> {
    const { id } = contact;
    const cached = known.get(id);
    if (cached) return cached;
    const before = await chatLog.state<string>('wechat', id, 'person');
    const person = before ?? (handleOf(contact) || id);
    if (!before) await chatLog.setState('wechat', id, 'person', person);
    await chatLog.setState('wechat', person, 'contact', id);
    if (known.size >= cacheMax) known.clear();
    known.set(id, person);
    return person;
  }

  return {
    personOf,
    contactIdOf: async (personId) =>
      (await chatLog.state<string>('wechat', personId, 'contact')) ?? personId,
  };
}

/** `Contact.weixin()` of older puppets prints to the console: read what it reads. */
function handleOf(contact: ContactInterface): string | undefined {
  const { payload } = contact as { payload?: { handle?: string; weixin?: string } };
  return payload?.handle || payload?.weixin;
}
