import { randomBytes } from 'node:crypto';
import type { TelegramEmulator } from './emulator.js';
import { imageSize } from './image-size.js';
import type { TgButton, TgChat, TgMessage, TgUser } from './types.js';

/** Somebody with a phone: sends, presses, pays, blocks. */
export class TelegramPerson {
  readonly user: TgUser;
  readonly chat: TgChat;

  constructor(
    private readonly emulator: TelegramEmulator,
    options: {
      id: number;
      name?: string;
      language?: string;
      group?: { id: number; title: string; is_forum?: boolean; type?: 'group' | 'supergroup' };
    },
  ) {
    const name = options.name ?? `user${options.id}`;
    this.user = {
      id: options.id,
      is_bot: false,
      first_name: name,
      ...(options.language ? { language_code: options.language } : {}),
    };
    this.chat = options.group
      ? { type: 'supergroup', ...options.group }
      : { id: options.id, type: 'private', first_name: name };
    emulator.users.set(this.user.id, this.user);
    emulator.chats.set(this.chat.id, this.chat);
  }

  get messages(): TgMessage[] {
    return this.emulator.messages.get(this.chat.id) ?? [];
  }

  /** The bot's own messages in this chat. */
  get received(): TgMessage[] {
    return this.messages.filter((m) => m.from?.id === this.emulator.bot.id);
  }

  says(text: string, extra: Partial<TgMessage> = {}): TgMessage {
    const command = /^\/\w+(@\w+)?/.exec(text)?.[0];
    const mention = /@\w+/.exec(text);
    const entities = [
      ...(command ? [{ type: 'bot_command', offset: 0, length: command.length }] : []),
      ...(mention && !command
        ? [{ type: 'mention', offset: mention.index, length: mention[0].length }]
        : []),
    ];
    const content = { text, ...(entities.length > 0 ? { entities } : {}), ...extra };
    return this.deliver(content);
  }

  /** As a compressed photo: Telegram gives sizes, the largest last. */
  sendsPhoto(bytes: Buffer, extra: Partial<TgMessage> = {}): TgMessage {
    const file = this.emulator.storeFile(bytes, 'photo.jpg', 'image/jpeg');
    const size = imageSize(bytes) ?? { width: 1, height: 1 };
    const small = { width: Math.min(90, size.width), height: Math.min(90, size.height) };
    const entry = (dimensions: { width: number; height: number }) => ({
      file_id: file.id,
      file_unique_id: file.uniqueId,
      ...dimensions,
      file_size: bytes.length,
    });
    return this.deliver({ photo: [entry(small), entry(size)], ...withMention(extra) });
  }

  sendsFile(
    bytes: Buffer,
    name: string,
    mime = 'image/jpeg',
    extra: Partial<TgMessage> = {},
  ): TgMessage {
    const file = this.emulator.storeFile(bytes, name, mime);
    return this.deliver({
      document: {
        file_id: file.id,
        file_unique_id: file.uniqueId,
        file_name: name,
        mime_type: mime,
        file_size: bytes.length,
      },
      ...withMention(extra),
    });
  }

  /** Albums arrive as separate updates with one media_group_id; the caption is on the first. */
  sendsAlbum(pictures: readonly Buffer[], caption?: string): TgMessage[] {
    const media_group_id = randomBytes(8).toString('hex');
    return pictures.map((bytes, i) =>
      this.sendsPhoto(bytes, { media_group_id, ...(i === 0 && caption ? { caption } : {}) }),
    );
  }

  /** Press the newest button that fits. @returns the callback's id. */
  presses(match: string | RegExp | ((button: TgButton) => boolean)): string {
    const fits =
      typeof match === 'function'
        ? match
        : (b: TgButton) =>
            typeof match === 'string' ? b.text.includes(match) : match.test(b.text);
    const found = this.emulator.button(
      this.chat.id,
      (b) => b.callback_data !== undefined && fits(b),
    );
    if (!found) throw new Error(`no button ${String(match)}; ${this.transcript()}`);
    return this.callback(found.message, found.button.callback_data!);
  }

  callback(message: TgMessage, data: string): string {
    const id = `cb_${randomBytes(8).toString('hex')}`;
    this.emulator.push('callback_query', {
      id,
      from: this.user,
      message,
      chat_instance: String(this.chat.id),
      data,
    });
    return id;
  }

  /**
   * Pay the newest Stars invoice: pre-checkout, at most ten seconds' patience, then the money.
   * @returns the charge id, or undefined when the bot said no or nothing.
   */
  async paysInvoice(payload?: string): Promise<string | undefined> {
    const invoice = payload
      ? this.emulator.invoices.get(payload)
      : [...this.emulator.invoices.values()].at(-1);
    if (!invoice) throw new Error('no invoice');
    const id = `pq_${randomBytes(8).toString('hex')}`;
    this.emulator.push('pre_checkout_query', {
      id,
      from: this.user,
      currency: invoice.currency,
      total_amount: invoice.amount,
      invoice_payload: invoice.payload,
    });
    try {
      await this.emulator.until(() => this.emulator.preCheckoutAnswers.get(id), 'answer', 10_000);
    } catch {
      return undefined;
    }
    if (!this.emulator.preCheckoutAnswers.get(id)!.ok) return undefined;
    const chargeId = `stars_${randomBytes(12).toString('hex')}`;
    this.emulator.stars.push({
      id: chargeId,
      amount: invoice.amount,
      date: Math.floor(this.emulator.now() / 1000),
      source: { type: 'user', user: this.user, invoice_payload: invoice.payload },
    });
    this.tellsOfPayment(chargeId);
    return chargeId;
  }

  /** The service message about a payment; may come twice. */
  tellsOfPayment(chargeId: string): TgMessage {
    const paid = this.emulator.stars.find((t) => t.id === chargeId && t.source)!;
    return this.deliver({
      successful_payment: {
        currency: 'XTR',
        total_amount: paid.amount,
        invoice_payload: (paid.source as { invoice_payload: string }).invoice_payload,
        telegram_payment_charge_id: chargeId,
        provider_payment_charge_id: chargeId,
      },
    });
  }

  blocks(): void {
    this.emulator.blocked.add(this.chat.id);
    this.emulator.push('my_chat_member', {
      chat: this.chat,
      from: this.user,
      date: Math.floor(this.emulator.now() / 1000),
      old_chat_member: { user: this.emulator.bot, status: 'member' },
      new_chat_member: { user: this.emulator.bot, status: 'kicked' },
    });
  }

  unblocks(): void {
    this.emulator.blocked.delete(this.chat.id);
  }

  /** Wait for a message of the bot. */
  sees(
    match: (message: TgMessage) => boolean,
    what: string,
    timeoutMs?: number,
  ): Promise<TgMessage> {
    return this.emulator.until(() => this.received.find(match), what, timeoutMs);
  }

  bytesOf(fileId: string): Buffer {
    const file = this.emulator.files.get(fileId);
    if (!file) throw new Error(`no file ${fileId}`);
    return file.bytes;
  }

  /** The conversation as text, for failures. */
  transcript(): string {
    return this.messages
      .map((m) => {
        const what =
          m.text ??
          m.caption ??
          Object.keys(m)
            .filter((k) => k in m)
            .join(',');
        const buttons = m.reply_markup?.inline_keyboard?.flat().map((b) => `[${b.text}]`) ?? [];
        return `${m.from?.is_bot ? 'bot' : 'user'}: ${what} ${buttons.join('')}`;
      })
      .join('\n');
  }

  private deliver(content: Partial<TgMessage>): TgMessage {
    const message = this.emulator.newMessage(this.chat, this.user, content);
    if (this.emulator.seesAll || this.chat.type === 'private' || this.isAddressed(message))
      this.emulator.push('message', message);
    return message;
  }

  /** What privacy mode lets through: commands, mentions, and replies to the bot. */
  private isAddressed({ text, caption, reply_to_message }: TgMessage): boolean {
    const said = text ?? caption ?? '';
    const isNamed = said.includes(`@${this.emulator.bot.username}`);
    return isNamed || said.startsWith('/') || reply_to_message?.from?.id === this.emulator.bot.id;
  }
}

function withMention(extra: Partial<TgMessage>): Partial<TgMessage> {
  const mention = /@\w+/.exec(extra.caption ?? '');
  return mention
    ? {
        ...extra,
        caption_entities: [{ type: 'mention', offset: mention.index, length: mention[0].length }],
      }
    : extra;
}
