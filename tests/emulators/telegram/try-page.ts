import type { EmulatorReply, EmulatorRequest } from '../http.js';
import type { TelegramEmulator } from './emulator.js';
import { TelegramPerson } from './person.js';
import { tryHtml } from './try-html.js';
import type { TgMessage } from './types.js';

/** A page that looks like a chat, in front of the emulator: the bot without Telegram. */
export function addTryPage(emulator: TelegramEmulator, language: string): void {
  const person = new TelegramPerson(emulator, { id: 700_700, name: 'You', language });
  emulator.extra = async (request) => {
    if (request.path === '/try') return html(tryHtml);
    if (!request.path.startsWith('/try/')) return undefined;
    return answer(emulator, person, request);
  };
}

async function answer(
  emulator: TelegramEmulator,
  person: TelegramPerson,
  request: EmulatorRequest,
): Promise<EmulatorReply> {
  const what = request.path.slice('/try/'.length);
  if (what === 'messages') {
    const since = Number(request.query.get('since') ?? 0);
    if (revision(emulator) === since) await changed(emulator);
    return json({ revision: revision(emulator), messages: person.messages.map(shown) });
  }
  if (what.startsWith('file/')) {
    const file = emulator.files.get(what.slice('file/'.length));
    return file ? { status: 200, body: file.bytes } : { status: 404 };
  }
  if (request.method !== 'POST') return { status: 404 };
  if (what === 'text') person.says(request.body.toString('utf8'));
  else if (what === 'photo') person.sendsPhoto(request.body);
  else if (what === 'document') {
    const name = decodeURIComponent(String(request.headers['x-name'] ?? 'photo.jpg'));
    person.sendsFile(request.body, name, String(request.headers['content-type'] ?? 'image/jpeg'));
  } else if (what === 'press') {
    const { messageId, data } = JSON.parse(request.body.toString('utf8'));
    const message = person.messages.find((m) => m.message_id === messageId);
    if (message) person.callback(message, data);
  } else if (what === 'pay') void person.paysInvoice();
  else return { status: 404 };
  return json({});
}

/** Grows with everything that happens. */
function revision(emulator: TelegramEmulator): number {
  let sum = emulator.actions.length;
  for (const list of emulator.messages.values()) sum += list.length;
  return sum;
}

function changed(emulator: TelegramEmulator): Promise<void> {
  return new Promise((resolve) => {
    const stop = emulator.watch(done);
    const timer = setTimeout(done, 20_000);
    function done() {
      stop();
      clearTimeout(timer);
      resolve();
    }
  });
}

function shown(message: TgMessage) {
  return {
    id: message.message_id,
    mine: !message.from?.is_bot,
    text: message.text ?? message.caption ?? '',
    photo: message.photo?.at(-1)?.file_id,
    document: message.document && {
      id: message.document.file_id,
      name: message.document.file_name,
      bytes: message.document.file_size,
    },
    invoice: message.invoice,
    paid: message.successful_payment !== undefined,
    buttons: message.reply_markup?.inline_keyboard ?? [],
  };
}

function json(value: unknown): EmulatorReply {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  };
}

function html(body: string): EmulatorReply {
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}
