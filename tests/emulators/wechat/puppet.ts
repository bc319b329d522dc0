import type { FileBoxInterface } from 'file-box';
import { types } from 'wechaty-puppet';
import { mock, PuppetMock } from 'wechaty-puppet-mock';
import { botId, type WechatWorld, type WorldMessage } from './world.js';

const pictureName = /\.(?:jpe?g|png|gif)$/i;

/**
 * wechaty's mock puppet over a world that outlives it, with what the mock lacks: pictures are the
 * real bytes in both directions, files may come from buffers, and sending tells the message's id.
 */
export class WorldPuppet extends PuppetMock {
  constructor(readonly world: WechatWorld) {
    super({ mocker: new mock.Mocker() } as never);
    const { mocker } = this as unknown as { mocker: Record<string, unknown> };
    mocker['cacheContactPayload'] = world.contacts;
    mocker['cacheRoomPayload'] = world.rooms;
  }

  override async onStart(): Promise<void> {
    this.world.starts += 1;
    if (this.world.mode === 'broken') throw new Error('the puppet is broken');
    await super.onStart();
    this.world.puppet = this;
    setImmediate(() => {
      if (this.world.mode === 'scan')
        this.emit('scan', { qrcode: 'https://login.example/scan-me', status: 2 });
      else this.login(botId);
    });
  }

  override async onStop(): Promise<void> {
    if (this.world.puppet === this) this.world.puppet = undefined;
    await super.onStop();
  }

  override async messageRawPayload(id: string): Promise<never> {
    return this.messageOf(id) as never;
  }

  override async messageImage(id: string): Promise<FileBoxInterface> {
    return this.fetched(id);
  }

  override async messageFile(id: string): Promise<FileBoxInterface> {
    return this.fetched(id);
  }

  override async messageSendText(
    conversationId: string,
    text: string,
    mentionIdList?: string[],
  ): Promise<never> {
    return this.send(conversationId, { type: types.Message.Text, text, mentionIdList }) as never;
  }

  override async messageSendFile(conversationId: string, file: FileBoxInterface): Promise<never> {
    const type = pictureName.test(file.name) ? types.Message.Image : types.Message.Attachment;
    const bytes = await file.toBuffer();
    return this.send(conversationId, { type, text: '', bytes, filename: file.name }) as never;
  }

  override async friendshipRawPayload(id: string): Promise<never> {
    return this.world.friendships.get(id) as never;
  }

  override async friendshipAccept(id: string): Promise<void> {
    this.world.accepted.push(id);
  }

  private send(
    conversationId: string,
    what: Pick<WorldMessage, 'type' | 'text' | 'bytes' | 'filename' | 'mentionIdList'>,
  ): string {
    if (!this.isLoggedIn) throw new Error('not logged in');
    if (this.world.refusing.has(conversationId)) throw new Error('the message was refused');
    const isRoom = this.world.rooms.has(conversationId);
    const to = isRoom ? { roomId: conversationId } : { listenerId: conversationId };
    const id = this.world.id();
    const timestamp = Math.floor(Date.now() / 1_000);
    this.world.hear({ ...what, ...to, id, talkerId: botId, timestamp });
    return id;
  }

  private fetched(id: string): FileBoxInterface {
    if (this.world.fetchFaults > 0) {
      this.world.fetchFaults -= 1;
      throw new Error('the picture could not be fetched');
    }
    return this.world.box(this.messageOf(id));
  }

  private messageOf(id: string): WorldMessage {
    const message = this.world.messages.get(id);
    if (!message) throw new Error('no such message');
    return message;
  }
}
