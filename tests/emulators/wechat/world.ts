import { EventEmitter } from 'node:events';
import { FileBox, type FileBoxInterface } from 'file-box';
import { types } from 'wechaty-puppet';
import type { WorldPuppet } from './puppet.js';

export interface WorldMessage {
  readonly id: string;
  readonly talkerId: string;
  readonly listenerId?: string;
  readonly roomId?: string;
  readonly type: types.Message;
  readonly text: string;
  readonly mentionIdList?: string[];
  readonly timestamp: number;
  /** Of pictures and files. */
  readonly bytes?: Buffer;
  readonly filename?: string;
}

export const botId = 'wxid_the_studio';

/** WeChat as one account sees it: contacts, rooms, messages with their real bytes. */
export class WechatWorld extends EventEmitter {
  readonly contacts = new Map<string, object>();
  readonly rooms = new Map<string, object>();
  readonly messages = new Map<string, WorldMessage>();
  readonly friendships = new Map<string, object>();
  readonly accepted: string[] = [];
  /** What the account sent, in order. */
  readonly sent: WorldMessage[] = [];
  /** Sending to these contacts fails. */
  readonly refusing = new Set<string>();
  /** Fetching these many pictures more fails. */
  fetchFaults = 0;
  /** Does this puppet start, and is its login remembered? */
  mode: 'loggedIn' | 'scan' | 'broken' = 'loggedIn';
  puppet?: WorldPuppet;
  starts = 0;
  private nextId = 0;

  constructor() {
    super();
    this.setMaxListeners(0);
    this.addContact(botId, '焕彩');
  }

  addContact(id: string, name: string, more: object = {}): string {
    const type = types.Contact.Individual;
    this.contacts.set(id, { id, name, avatar: '', gender: 0, type, phone: [], ...more });
    return id;
  }

  addRoom(id: string, topic: string, memberIdList: string[]): string {
    this.rooms.set(id, { id, topic, memberIdList, adminIdList: [] });
    return id;
  }

  id(): string {
    this.nextId += 1;
    return `msg-${this.nextId}`;
  }

  /** Somebody says something: the account's puppet hears it, when it is there. */
  says(message: Omit<WorldMessage, 'id' | 'timestamp'>, id = this.id()): WorldMessage {
    const whole = { ...message, id, timestamp: Math.floor(Date.now() / 1_000) };
    this.messages.set(id, whole);
    this.puppet?.emit('message', { messageId: id });
    return whole;
  }

  /** Everything that one person and the account said to each other alone, in order. */
  between(personId: string): WorldMessage[] {
    return [...this.messages.values()].filter(
      (m) => m.roomId === undefined && (m.talkerId === personId || m.listenerId === personId),
    );
  }

  /** Somebody wants to be a friend. */
  asksFriendship(contactId: string, hello: string): void {
    const id = `friend-${contactId}`;
    const type = types.Friendship.Receive;
    const timestamp = Math.floor(Date.now() / 1_000);
    this.friendships.set(id, { id, contactId, hello, type, timestamp, ticket: '', scene: 0 });
    this.puppet?.emit('friendship', { friendshipId: id });
  }

  hear(message: WorldMessage): void {
    this.messages.set(message.id, message);
    this.sent.push(message);
    this.emit('sent', message);
  }

  box(message: WorldMessage): FileBoxInterface {
    if (!message.bytes) throw new Error('no file in this message');
    return FileBox.fromBuffer(message.bytes, message.filename ?? 'picture.jpg');
  }
}
