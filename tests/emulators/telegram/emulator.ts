import { randomBytes } from 'node:crypto';
import type { Fault, FaultPlan } from '../faults.js';
import {
  type EmulatorReply,
  type EmulatorRequest,
  type EmulatorServer,
  startServer,
} from '../http.js';
import { type CallParams, readParams } from './form.js';
import { type SendLimits, SendMeter } from './limits.js';
import { methods } from './methods.js';
import {
  ApiError,
  type TgButton,
  type TgChat,
  type TgFile,
  type TgInvoice,
  type TgMessage,
  type TgUpdate,
  type TgUser,
} from './types.js';

export interface TelegramEmulatorOptions {
  readonly token?: string;
  /** Refuse what is too fast; undefined: no limits. */
  readonly limits?: SendLimits;
  readonly faults?: FaultPlan;
  readonly port?: number;
  /** getFile refuses more, bytes. A self-hosted server has no such limit. */
  readonly downloadLimitBytes?: number;
  /** As `telegram-bot-api --local`: files are named by their path on this machine, in this folder. */
  readonly localFilesDir?: string;
  readonly now?: () => number;
  /** BotFather's privacy mode is on: of groups the bot sees only what is addressed to it. */
  readonly privacy?: boolean;
}

export interface StarTransaction {
  readonly id: string;
  readonly amount: number;
  readonly date: number;
  readonly source?: Record<string, unknown>;
  readonly receiver?: Record<string, unknown>;
}

/** Something the bot said or did, in order; what tests and the try page look at. */
export interface BotAction {
  readonly method: string;
  readonly chatId?: number;
  readonly message?: TgMessage;
  readonly values: Record<string, unknown>;
}

/** A Bot API server, good enough that telegraf cannot tell. */
export class TelegramEmulator {
  readonly token: string;
  readonly bot: TgUser;
  readonly chats = new Map<number, TgChat>();
  readonly users = new Map<number, TgUser>();
  /** Every message of a chat, the bot's and the customer's, as it stands after edits. */
  readonly messages = new Map<number, TgMessage[]>();
  readonly files = new Map<string, TgFile>();
  readonly invoices = new Map<string, TgInvoice>();
  readonly stars: StarTransaction[] = [];
  readonly actions: BotAction[] = [];
  readonly callbackAnswers = new Map<string, Record<string, unknown>>();
  readonly preCheckoutAnswers = new Map<string, { ok: boolean; atMs: number; error?: string }>();
  readonly blocked = new Set<number>();
  /** Topics in which nobody may write; General is 1. */
  readonly closedTopics = new Set<string>();
  /** Groups that became supergroups: old id, new id. */
  readonly migrated = new Map<number, number>();
  /** Chats that get nothing for a while: id, until when, ms. */
  readonly slowedUntilMs = new Map<number, number>();
  readonly meter: SendMeter;
  readonly downloadLimitBytes: number;
  readonly localFilesDir: string | undefined;
  readonly now: () => number;
  faults: FaultPlan;
  webhook: { url: string; secret?: string } | undefined;
  /** Commands and descriptions per language. */
  readonly profile = new Map<string, unknown>();
  private readonly waiting: TgUpdate[] = [];
  private readonly posting = new Map<number, Promise<void>>();
  private readonly polls = new Set<() => void>();
  private readonly watchers = new Set<() => void>();
  private server!: EmulatorServer;
  private nextUpdateId = 1000;
  private nextMessageId = 1;
  private closed = false;
  /** Calls so far, answered or not. */
  readonly calls: { method: string; atMs: number }[] = [];
  /** BotFather's privacy mode is off: the bot sees groups' every message. */
  seesAll: boolean;

  private constructor(options: TelegramEmulatorOptions) {
    this.token = options.token ?? '4242424242:AAEmulatedTokenEmulatedTokenEmulated00';
    this.now = options.now ?? Date.now;
    this.meter = new SendMeter(options.limits, this.now);
    this.faults = options.faults ?? (() => undefined);
    this.localFilesDir = options.localFilesDir;
    const limit = this.localFilesDir ? 2_000_000_000 : 20_000_000;
    this.downloadLimitBytes = options.downloadLimitBytes ?? limit;
    this.seesAll = !options.privacy;
    this.bot = {
      id: Number(this.token.split(':')[0]),
      is_bot: true,
      first_name: 'Huancai',
      username: 'huancai_bot',
    };
  }

  static async start(options: TelegramEmulatorOptions = {}): Promise<TelegramEmulator> {
    const emulator = new TelegramEmulator(options);
    emulator.server = await startServer((request) => emulator.handle(request), options.port);
    return emulator;
  }

  get url(): string {
    return this.server.url;
  }

  /** Pages and controls of the try page are answered before the Bot API. */
  extra: ((request: EmulatorRequest) => Promise<EmulatorReply | undefined>) | undefined;

  async close(): Promise<void> {
    this.closed = true;
    for (const wake of this.polls) wake();
    await this.server.close();
  }

  // What the world does to the bot.

  /** Queue an update, or push it to the webhook. @returns its id. */
  push(kind: string, content: unknown, updateId?: number): number {
    const update_id = updateId ?? this.nextUpdateId++;
    const update: TgUpdate = { update_id, [kind]: content };
    if (this.webhook) this.postInTurn(update);
    else {
      this.waiting.push(update);
      for (const wake of this.polls) wake();
    }
    return update_id;
  }

  /** Put an update back although it was confirmed: duplicates happen after a lost connection. */
  repeat(update: TgUpdate): void {
    this.waiting.unshift(update);
    for (const wake of this.polls) wake();
  }

  reserveUpdateIds(count: number): number {
    const first = this.nextUpdateId;
    this.nextUpdateId += count;
    return first;
  }

  newMessage(chat: TgChat, from: TgUser, content: Partial<TgMessage>): TgMessage {
    const message: TgMessage = {
      message_id: this.nextMessageId++,
      date: Math.floor(this.now() / 1000),
      chat,
      from,
      ...content,
    };
    const list = this.messages.get(chat.id) ?? [];
    list.push(message);
    this.messages.set(chat.id, list);
    this.changed();
    return message;
  }

  storeFile(bytes: Buffer, name?: string, mime?: string): TgFile {
    const id = `file_${randomBytes(12).toString('hex')}`;
    const extension = name?.includes('.') ? name.slice(name.lastIndexOf('.')) : '';
    const file: TgFile = {
      id,
      uniqueId: `u_${id.slice(5, 17)}`,
      path: `documents/${id}${extension}`,
      bytes,
      name,
      mime,
    };
    this.files.set(id, file);
    return file;
  }

  /** Called after anything changed. */
  changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  /** Wait until something is so. @throws with what the bot did last. */
  async until<T>(look: () => T | undefined | false, what: string, timeoutMs = 45_000): Promise<T> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const found = look();
      if (found) return found;
      if (Date.now() > end) {
        const last = this.actions.slice(-6).map((a) => `${a.method} ${JSON.stringify(a.values)}`);
        throw new Error(`telegram emulator: never saw ${what}; last:\n${last.join('\n')}`);
      }
      await new Promise<void>((resolve) => {
        const stop = this.watch(done);
        const timer = setTimeout(done, 200);
        function done() {
          stop();
          clearTimeout(timer);
          resolve();
        }
      });
    }
  }

  button(
    chatId: number,
    match: (button: TgButton) => boolean,
  ): { message: TgMessage; button: TgButton } | undefined {
    for (const message of [...(this.messages.get(chatId) ?? [])].reverse())
      for (const button of message.reply_markup?.inline_keyboard?.flat() ?? [])
        if (match(button)) return { message, button };
    return undefined;
  }

  /** A group becomes a supergroup: it goes on under another id, and both sides are told. */
  migrate(from: TgChat, admin: TgUser, to: number): TgChat {
    const chat: TgChat = { id: to, type: 'supergroup', title: from.title };
    this.push('message', this.newMessage(from, admin, { migrate_to_chat_id: to }));
    this.chats.set(to, chat);
    this.migrated.set(from.id, to);
    const told = { migrate_from_chat_id: from.id };
    this.push('message', this.newMessage(chat, admin, told));
    return chat;
  }

  // What the bot does.

  private async handle(request: EmulatorRequest): Promise<EmulatorReply> {
    const extra = await this.extra?.(request);
    if (extra) return extra;
    const file = /^\/file\/bot([^/]+)\/(.+)$/.exec(request.path);
    if (file) return this.download(file[1]!, file[2]!);
    const call = /^\/bot([^/]+)\/(\w+)$/.exec(request.path);
    if (!call) return json(404, { ok: false, error_code: 404, description: 'Not Found' });
    if (call[1] !== this.token)
      return json(401, { ok: false, error_code: 401, description: 'Unauthorized' });
    const method = call[2]!;
    this.calls.push({ method, atMs: this.now() });
    this.changed();
    const params = await readParams(request);
    if (method === 'getUpdates') return this.getUpdates(params);
    const fault = this.faults(method, '');
    const refused = refusal(fault);
    if (refused) return refused;
    const reply = await this.perform(method, params);
    if (fault === 'replyLost') return { status: 0, reset: true };
    return fault === 'slow' ? { ...reply, delayMs: 1_500 } : reply;
  }

  private async perform(method: string, params: CallParams): Promise<EmulatorReply> {
    const implementation = methods[method];
    try {
      if (!implementation) throw new ApiError(404, `Not Found: method ${method}`);
      const result = implementation(this, params);
      const chatId = Number(params.values['chat_id'] ?? Number.NaN);
      this.actions.push({
        method,
        values: params.values,
        ...(Number.isNaN(chatId) ? {} : { chatId }),
        ...(isMessage(result) ? { message: result } : {}),
      });
      this.changed();
      return json(200, { ok: true, result });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return json(error.code, {
        ok: false,
        error_code: error.code,
        description: error.message,
        ...parametersOf(error),
      });
    }
  }

  private async getUpdates({ values }: CallParams): Promise<EmulatorReply> {
    if (this.webhook)
      return json(409, {
        ok: false,
        error_code: 409,
        description: "Conflict: can't use getUpdates method while webhook is active",
      });
    const offset = Number(values['offset'] ?? 0);
    const limit = Math.min(Number(values['limit'] ?? 100), 100);
    const timeoutMs = Number(values['timeout'] ?? 0) * 1000;
    // A higher offset confirms everything below it.
    for (let i = this.waiting.length - 1; i >= 0; i--)
      if (this.waiting[i]!.update_id < offset) this.waiting.splice(i, 1);
    if (this.waiting.length === 0 && timeoutMs > 0 && !this.closed)
      await new Promise<void>((resolve) => {
        const done = () => {
          this.polls.delete(done);
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        this.polls.add(done);
      });
    const refused = refusal(this.faults('getUpdates', ''));
    if (refused) return refused;
    return json(200, { ok: true, result: this.waiting.slice(0, limit) });
  }

  private download(token: string, path: string): EmulatorReply {
    if (token !== this.token) return { status: 401 };
    const refused = refusal(this.faults('download', ''));
    if (refused) return refused;
    const file = [...this.files.values()].find((f) => f.path === path);
    return file ? { status: 200, body: file.bytes } : { status: 404 };
  }

  /** One at a time per chat, as the real one: what a chat said keeps its order. */
  private postInTurn(update: TgUpdate): void {
    const content = Object.values(update).find((value) => typeof value === 'object') as
      | { chat?: TgChat; from?: TgUser }
      | undefined;
    const chat = content?.chat?.id ?? content?.from?.id ?? 0;
    const before = this.posting.get(chat) ?? Promise.resolve();
    this.posting.set(
      chat,
      before.then(() => this.post(update)),
    );
  }

  private async post(update: TgUpdate): Promise<void> {
    for (let attempt = 0; attempt < 20 && this.webhook && !this.closed; attempt++) {
      const { url, secret } = this.webhook;
      const headers: Record<string, string> = { 'content-type': 'application/json' };
      if (secret) headers['X-Telegram-Bot-Api-Secret-Token'] = secret;
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers,
          body: JSON.stringify(update),
        });
        if (response.ok) return;
      } catch {
        // Telegram tries again later.
      }
      await new Promise((resolve) => setTimeout(resolve, 100 * (attempt + 1)));
    }
  }
}

function parametersOf({ retryAfter, migrateTo }: ApiError): object {
  const parameters = {
    ...(retryAfter ? { retry_after: retryAfter } : {}),
    ...(migrateTo ? { migrate_to_chat_id: migrateTo } : {}),
  };
  return Object.keys(parameters).length > 0 ? { parameters } : {};
}

function refusal(fault: Fault | undefined): EmulatorReply | undefined {
  switch (fault) {
    case 'lost':
      return { status: 0, reset: true };
    case 'swallowed':
      return { status: 0, never: true };
    case 'wrong401':
      return json(401, { ok: false, error_code: 401, description: 'Unauthorized' });
    case 'conflict':
      return json(409, {
        ok: false,
        error_code: 409,
        description: 'Conflict: terminated by other getUpdates request',
      });
    case 'html502':
      return { status: 502, body: '<html>502 Bad Gateway</html>' };
    case 'http500':
      return json(500, { ok: false, error_code: 500, description: 'Internal Server Error' });
    case 'systemError':
      return json(429, {
        ok: false,
        error_code: 429,
        description: 'Too Many Requests: retry after 1',
        parameters: { retry_after: 1 },
      });
    default:
      return undefined;
  }
}

function json(status: number, body: unknown): EmulatorReply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function isMessage(value: unknown): value is TgMessage {
  return typeof value === 'object' && value !== null && 'message_id' in value;
}
