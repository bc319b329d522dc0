import { types } from 'wechaty-puppet';
import { botId, type WechatWorld, type WorldMessage } from './world.js';

/** Somebody with WeChat on their phone: sends, and sees what arrives. */
export class WechatPerson {
  private seen = 0;

  constructor(
    readonly world: WechatWorld,
    readonly id: string,
    more: object = {},
  ) {
    world.addContact(id, `name of ${id}`, more);
  }

  says(text: string): WorldMessage {
    return this.tells({ type: types.Message.Text, text });
  }

  sendsPicture(bytes: Buffer): WorldMessage {
    return this.tells({ type: types.Message.Image, text: '', bytes, filename: 'picture.jpg' });
  }

  sendsFile(bytes: Buffer, filename: string): WorldMessage {
    return this.tells({ type: types.Message.Attachment, text: filename, bytes, filename });
  }

  saysIn(roomId: string, text: string, mentions = true): WorldMessage {
    const words = mentions ? `@焕彩\u2005${text}` : text;
    const mentionIdList = mentions ? [botId] : [];
    const type = types.Message.Text;
    return this.world.says({ talkerId: this.id, roomId, type, text: words, mentionIdList });
  }

  sendsPictureIn(roomId: string, bytes: Buffer): WorldMessage {
    const picture = { type: types.Message.Image, text: '', bytes, filename: 'picture.jpg' };
    return this.world.says({ talkerId: this.id, roomId, ...picture });
  }

  /** Everything that came to this person alone. */
  get received(): WorldMessage[] {
    return this.world.sent.filter((one) => one.listenerId === this.id);
  }

  /** The next message from here on that fits; what came before it is passed over. */
  async sees(
    fits: (message: WorldMessage) => boolean,
    what: string,
    timeoutMs = 60_000,
    from: () => WorldMessage[] = () => this.received,
  ): Promise<WorldMessage> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const at = from().findIndex((one, i) => i >= this.seen && fits(one));
      if (at >= 0) {
        this.seen = at + 1;
        return from()[at]!;
      }
      if (Date.now() > end) {
        const got = from().map((one) => one.filename ?? one.text.slice(0, 60));
        throw new Error(`${this.id} did not see ${what}; got: ${got.join(' | ')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Reads the number before a label out of the latest offer and says it. */
  chooses(label: string): void {
    for (const { text } of [...this.received].reverse()) {
      const line = text.split('\n').find((one) => /^\d+ /.test(one) && one.includes(label));
      if (line) return void this.says(line.split(' ')[0]!);
    }
    throw new Error(`nothing offers ${label}`);
  }

  private tells(what: Pick<WorldMessage, 'type' | 'text' | 'bytes' | 'filename'>): WorldMessage {
    return this.world.says({ talkerId: this.id, listenerId: botId, ...what });
  }
}
