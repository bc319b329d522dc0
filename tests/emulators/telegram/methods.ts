import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TelegramEmulator } from './emulator.js';
import type { CallParams, UploadedFile } from './form.js';
import { imageSize } from './image-size.js';
import { ApiError, type TgButton, type TgChat, type TgFile, type TgMessage } from './types.js';

type Method = (emulator: TelegramEmulator, params: CallParams) => unknown;

const photoLimitBytes = 10_000_000;
const uploadLimitBytes = 50_000_000;
const textLimit = 4096;
const captionLimit = 1024;
const callbackDataLimitBytes = 64;

/** Bot API methods by name. @see https://core.telegram.org/bots/api */
export const methods: Readonly<Record<string, Method>> = {
  getMe: (e) => ({ ...e.bot, can_join_groups: true, can_read_all_group_messages: e.seesAll }),
  setWebhook: (e, { values }) => {
    const url = String(values['url'] ?? '');
    const secret = values['secret_token'];
    e.webhook = url ? { url, ...(secret ? { secret: String(secret) } : {}) } : undefined;
    return true;
  },
  deleteWebhook: (e) => {
    e.webhook = undefined;
    return true;
  },
  getWebhookInfo: (e) => ({ url: e.webhook?.url ?? '', pending_update_count: 0 }),
  setMyCommands: (e, { values }) => remember(e, 'commands', values),
  setMyDescription: (e, { values }) => remember(e, 'description', values),
  setMyShortDescription: (e, { values }) => remember(e, 'shortDescription', values),
  setChatMenuButton: () => true,
  sendChatAction: (e, { values }) => {
    chatOf(e, values);
    return true;
  },
  sendMessage: (e, { values }) => {
    const text = String(values['text'] ?? '');
    if (!text) throw new ApiError(400, 'Bad Request: message text is empty');
    if (text.length > textLimit) throw new ApiError(400, 'Bad Request: message is too long');
    return say(e, values, { text });
  },
  sendPhoto: (e, params) => {
    const file = fileOf(params, params.values['photo'], 'photo');
    if (file && file.bytes.length > photoLimitBytes)
      throw new ApiError(413, 'Request Entity Too Large');
    return say(e, params.values, { ...photo(e, file, params.values['photo']), ...caption(params) });
  },
  sendDocument: (e, params) => {
    const file = fileOf(params, params.values['document'], 'document');
    if (file && file.bytes.length > uploadLimitBytes)
      throw new ApiError(413, 'Request Entity Too Large');
    return say(e, params.values, {
      ...document(e, file, params.values['document']),
      ...caption(params),
    });
  },
  sendMediaGroup: (e, params) => {
    const media = params.values['media'] as { type: string; media: string; caption?: string }[];
    if (!Array.isArray(media) || media.length < 2 || media.length > 10)
      throw new ApiError(400, 'Bad Request: media group must have 2-10 items');
    const group = randomBytes(6).toString('hex');
    return media.map((item) => {
      const file = fileOf(params, item.media, item.type);
      const content =
        item.type === 'photo' ? photo(e, file, item.media) : document(e, file, item.media);
      return say(e, params.values, {
        ...content,
        media_group_id: group,
        ...(item.caption ? { caption: item.caption } : {}),
      });
    });
  },
  editMessageText: (e, { values }) =>
    edit(e, values, (m) => ({ ...m, text: String(values['text']) })),
  editMessageCaption: (e, { values }) =>
    edit(e, values, (m) => ({ ...m, caption: String(values['caption'] ?? '') })),
  editMessageReplyMarkup: (e, { values }) => edit(e, values, (m) => ({ ...m })),
  editMessageMedia: (e, params) => {
    const media = params.values['media'] as { type: string; media: string; caption?: string };
    const file = fileOf(params, media.media, media.type);
    const content =
      media.type === 'photo' ? photo(e, file, media.media) : document(e, file, media.media);
    return edit(e, params.values, (m) => ({
      ...m,
      text: undefined,
      photo: undefined,
      document: undefined,
      ...content,
      caption: media.caption,
    }));
  },
  deleteMessage: (e, { values }) => {
    const { list, index } = locate(e, values);
    list.splice(index, 1);
    return true;
  },
  answerCallbackQuery: (e, { values }) => {
    const id = String(values['callback_query_id']);
    if (!id.startsWith('cb_')) throw new ApiError(400, 'Bad Request: query is too old');
    e.callbackAnswers.set(id, values);
    return true;
  },
  answerPreCheckoutQuery: (e, { values }) => {
    e.preCheckoutAnswers.set(String(values['pre_checkout_query_id']), {
      ok: values['ok'] === true || values['ok'] === 'true',
      atMs: e.now(),
      ...(values['error_message'] ? { error: String(values['error_message']) } : {}),
    });
    return true;
  },
  getFile: (e, { values }) => {
    const file = e.files.get(String(values['file_id']));
    if (!file) throw new ApiError(400, 'Bad Request: wrong file_id');
    if (file.bytes.length > e.downloadLimitBytes)
      throw new ApiError(400, 'Bad Request: file is too big');
    return {
      file_id: file.id,
      file_unique_id: file.uniqueId,
      file_size: file.bytes.length,
      file_path: e.localFilesDir ? localPath(e.localFilesDir, file) : file.path,
    };
  },
  sendInvoice: (e, { values }) => {
    const invoice = invoiceOf(e, values);
    const button: TgButton = { text: `Pay ${invoice.amount}`, pay: true };
    return say(
      e,
      { ...values, reply_markup: values['reply_markup'] ?? { inline_keyboard: [[button]] } },
      {
        invoice: {
          title: invoice.title,
          currency: invoice.currency,
          total_amount: invoice.amount,
        },
      },
    );
  },
  createInvoiceLink: (e, { values }) => {
    const invoice = invoiceOf(e, values);
    return `https://t.me/$${Buffer.from(invoice.payload).toString('hex')}`;
  },
  getStarTransactions: (e, { values }) => {
    const offset = Number(values['offset'] ?? 0);
    const limit = Math.min(Number(values['limit'] ?? 100), 100);
    return { transactions: e.stars.slice(offset, offset + limit) };
  },
  refundStarPayment: (e, { values }) => {
    const id = String(values['telegram_payment_charge_id']);
    const paid = e.stars.find((t) => t.id === id && t.source);
    if (!paid) throw new ApiError(400, 'Bad Request: CHARGE_NOT_FOUND');
    const user = (paid.source as { user: { id: number } }).user;
    if (user.id !== Number(values['user_id']))
      throw new ApiError(400, 'Bad Request: USER_ID_INVALID');
    if (e.stars.some((t) => t.id === id && t.receiver))
      throw new ApiError(400, 'Bad Request: CHARGE_ALREADY_REFUNDED');
    const date = Math.floor(e.now() / 1000);
    e.stars.push({ id, amount: paid.amount, date, receiver: { type: 'user', user } });
    const chat = e.chats.get(user.id);
    if (chat) {
      const refunded_payment = {
        currency: 'XTR',
        total_amount: paid.amount,
        invoice_payload: (paid.source as { invoice_payload: string }).invoice_payload,
        telegram_payment_charge_id: id,
      };
      e.push('message', e.newMessage(chat, e.users.get(user.id)!, { refunded_payment }));
    }
    return true;
  },
};

/** The file as a server on this machine would keep it. */
function localPath(dir: string, file: TgFile): string {
  const name = path.join(dir, path.basename(file.path));
  writeFileSync(name, file.bytes);
  return name;
}

function remember(e: TelegramEmulator, what: string, values: Record<string, unknown>): true {
  e.profile.set(`${what}:${String(values['language_code'] ?? '')}`, values);
  return true;
}

function chatOf(e: TelegramEmulator, values: Record<string, unknown>): TgChat {
  const id = Number(values['chat_id']);
  const chat = e.chats.get(id);
  if (!chat) throw new ApiError(400, 'Bad Request: chat not found');
  const to = e.migrated.get(id);
  if (to !== undefined)
    throw new ApiError(
      400,
      'Bad Request: group chat was upgraded to a supergroup chat',
      undefined,
      to,
    );
  if (e.blocked.has(id)) throw new ApiError(403, 'Forbidden: bot was blocked by the user');
  return chat;
}

function say(
  e: TelegramEmulator,
  values: Record<string, unknown>,
  content: Partial<TgMessage>,
): TgMessage {
  const chat = chatOf(e, values);
  const topic = topicOf(e, chat, values);
  const restMs = (e.slowedUntilMs.get(chat.id) ?? 0) - e.now();
  if (restMs > 0) {
    const seconds = Math.ceil(restMs / 1_000);
    throw new ApiError(429, `Too Many Requests: retry after ${seconds}`, seconds);
  }
  e.meter.count(chat.id, chat.type !== 'private');
  const replied = repliedTo(e, chat, values);
  return e.newMessage(chat, e.bot, { ...topic, ...replied, ...content, ...markup(values) });
}

/** @see https://core.telegram.org/bots/api#replyparameters */
function repliedTo(e: TelegramEmulator, chat: TgChat, values: Record<string, unknown>) {
  const text = values['reply_parameters'];
  if (text === undefined) return {};
  const given = (typeof text === 'string' ? JSON.parse(text) : text) as {
    message_id: number;
    allow_sending_without_reply?: boolean;
  };
  const found = e.messages.get(chat.id)?.find((one) => one.message_id === given.message_id);
  if (found) return { reply_to_message: found };
  if (given.allow_sending_without_reply === true) return {};
  throw new ApiError(400, 'Bad Request: message to be replied not found');
}

/** Without a topic a message goes to General, whose number is 1 and must not be said. */
function topicOf(e: TelegramEmulator, chat: TgChat, values: Record<string, unknown>) {
  const given = values['message_thread_id'];
  const topic = given === undefined ? 1 : Number(given);
  if (given !== undefined && (!chat.is_forum || topic === 1))
    throw new ApiError(400, 'Bad Request: message thread not found');
  if (e.closedTopics.has(`${chat.id}:${topic}`))
    throw new ApiError(400, 'Bad Request: TOPIC_CLOSED');
  return given === undefined ? {} : { message_thread_id: topic, is_topic_message: true };
}

function markup(values: Record<string, unknown>): Partial<TgMessage> {
  const given = values['reply_markup'] as { inline_keyboard?: TgButton[][] } | undefined;
  for (const button of given?.inline_keyboard?.flat() ?? []) {
    const data = button.callback_data;
    if (data !== undefined && Buffer.byteLength(data) > callbackDataLimitBytes)
      throw new ApiError(400, 'Bad Request: BUTTON_DATA_INVALID');
    if (button.url !== undefined && !/^(https?|tg):/.test(button.url))
      throw new ApiError(400, 'Bad Request: inline keyboard button URL is invalid');
  }
  return given ? { reply_markup: given } : {};
}

function locate(
  e: TelegramEmulator,
  values: Record<string, unknown>,
): { list: TgMessage[]; index: number } {
  const chat = chatOf(e, values);
  const list = e.messages.get(chat.id) ?? [];
  const index = list.findIndex((m) => m.message_id === Number(values['message_id']));
  if (index < 0) throw new ApiError(400, 'Bad Request: message to edit not found');
  return { list, index };
}

function edit(
  e: TelegramEmulator,
  values: Record<string, unknown>,
  change: (message: TgMessage) => TgMessage,
): TgMessage {
  const { list, index } = locate(e, values);
  const before = list[index]!;
  const after = { ...change(before), reply_markup: undefined, ...markup(values) };
  if (JSON.stringify(strip(before)) === JSON.stringify(strip(after)))
    throw new ApiError(400, 'Bad Request: message is not modified');
  after.edit_date = Math.floor(e.now() / 1000);
  list[index] = after;
  return after;
}

function strip({ edit_date: _, ...rest }: TgMessage): unknown {
  return rest;
}

function caption({ values }: CallParams): Partial<TgMessage> {
  const text = values['caption'];
  if (text === undefined) return {};
  if (String(text).length > captionLimit)
    throw new ApiError(400, 'Bad Request: message caption is too long');
  return { caption: String(text) };
}

/** An upload in the field itself or behind attach://; undefined for a known file_id. */
function fileOf(params: CallParams, value: unknown, field: string): UploadedFile | undefined {
  const attached = /^attach:\/\/(.+)$/.exec(String(value ?? ''))?.[1];
  return params.files.get(attached ?? field);
}

function photo(
  e: TelegramEmulator,
  file: UploadedFile | undefined,
  given: unknown,
): Partial<TgMessage> {
  const stored = file
    ? e.storeFile(file.bytes, file.name, file.mime)
    : e.files.get(String(given ?? ''));
  if (!stored) throw new ApiError(400, 'Bad Request: there is no photo in the request');
  const size = imageSize(stored.bytes);
  if (!size) throw new ApiError(400, 'Bad Request: IMAGE_PROCESS_FAILED');
  if (
    size.width + size.height > 10_000 ||
    Math.max(size.width / size.height, size.height / size.width) > 20
  )
    throw new ApiError(400, 'Bad Request: PHOTO_INVALID_DIMENSIONS');
  return {
    photo: [
      {
        file_id: stored.id,
        file_unique_id: stored.uniqueId,
        ...size,
        file_size: stored.bytes.length,
      },
    ],
  };
}

function document(
  e: TelegramEmulator,
  file: UploadedFile | undefined,
  given: unknown,
): Partial<TgMessage> {
  const stored = file
    ? e.storeFile(file.bytes, file.name, file.mime)
    : e.files.get(String(given ?? ''));
  if (!stored) throw new ApiError(400, 'Bad Request: there is no document in the request');
  return {
    document: {
      file_id: stored.id,
      file_unique_id: stored.uniqueId,
      file_name: stored.name,
      mime_type: stored.mime,
      file_size: stored.bytes.length,
    },
  };
}

function invoiceOf(e: TelegramEmulator, values: Record<string, unknown>) {
  const prices = values['prices'] as { label: string; amount: number }[] | undefined;
  const payload = String(values['payload'] ?? '');
  if (values['currency'] !== 'XTR' || String(values['provider_token'] ?? '') !== '')
    throw new ApiError(400, 'Bad Request: CURRENCY_INVALID');
  if (prices?.length !== 1 || !Number.isInteger(prices[0]!.amount) || prices[0]!.amount < 1)
    throw new ApiError(400, 'Bad Request: STARS_INVOICE_INVALID');
  if (!payload || Buffer.byteLength(payload) > 128 || !values['title'] || !values['description'])
    throw new ApiError(400, 'Bad Request: invoice is incomplete');
  const invoice = {
    payload,
    currency: 'XTR',
    amount: prices[0]!.amount,
    title: String(values['title']),
  };
  e.invoices.set(payload, invoice);
  return invoice;
}
