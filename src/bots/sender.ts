import { CustomerUnreachable } from '../studio/errors/index.js';
import type { Clock, Language, Messages } from '../studio/ports/basics.js';
import type { ChatLog } from '../studio/ports/chat-log.js';
import type { Reply } from './conversation/reply.js';
import type { Door, Outgoing } from './door.js';
import type { OfferedChoices } from './offered-choices.js';
import { pack } from './pack.js';
import { RoomClosed } from './room-closed.js';
import type { SaidBudget } from './said-budget.js';
import { Turns } from './turns.js';

/** Progress is edited no more often: edits count as messages. */
const frequentMs = 2_500;
/** State of chats that do not want to hear from us. */
const blockedState = 'blocked';

/** Says things once, in a chat's order, within what its channel can carry. */
export interface Sender {
  /**
   * Say it once. A key that was said before is edited where the channel can; elsewhere only its
   * missing parts follow. Messages of one chat keep their order.
   * @param language of "reply with a number"; default: the channel's.
   * @throws {ChannelAway | CustomerUnreachable}
   */
  say(chatId: string, reply: Reply, language?: Language): Promise<void>;
  /** The person left, or came back: a chat that blocked us is not written to any more. */
  setBlocked(chatId: string, blocked: boolean): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface SenderDeps {
  readonly chatLog: ChatLog;
  readonly messages: Messages;
  readonly clock: Clock;
  readonly choices: OfferedChoices;
  readonly budget: SaidBudget;
}

/** The one way out through a door. */
export function createSender(deps: SenderDeps, door: Door): Sender {
  const turns = new Turns();
  const { chatLog } = deps;
  const isTime = pacemaker(deps.clock);
  const sayOnce = sayingOnce(deps, door, isTime);

  const isBlocked = async (chatId: string) =>
    door.canBeBlocked && (await chatLog.state<boolean>(door.id, chatId, blockedState));

  async function setBlocked(chatId: string, blocked: boolean): Promise<void> {
    if ((await chatLog.state<boolean>(door.id, chatId, blockedState)) === (blocked || undefined))
      return;
    await chatLog.setState(door.id, chatId, blockedState, blocked ? true : undefined);
  }

  async function say(chatId: string, reply: Reply, language = door.language): Promise<void> {
    if (await isBlocked(chatId)) throw new CustomerUnreachable(door.id);
    try {
      await sayOnce(chatId, reply, language);
    } catch (error) {
      const isRoom = error instanceof RoomClosed;
      const isGone = door.canBeBlocked && error instanceof CustomerUnreachable && !isRoom;
      if (isGone) await setBlocked(chatId, true);
      throw error;
    }
  }

  return {
    say: (chatId, reply, language) => turns.take(chatId, () => say(chatId, reply, language)),
    setBlocked: (chatId, blocked) => turns.take(chatId, () => setBlocked(chatId, blocked)),
    idle: () => turns.idle(),
  };
}

function sayingOnce(
  { chatLog, messages, clock, choices, budget }: SenderDeps,
  door: Door,
  isTime: (chatId: string) => boolean,
) {
  const { abilities } = door;

  /** What passes is not worth the last words. */
  const isAffordable = async (chatId: string): Promise<boolean> =>
    !abilities.budget || (await budget.left(chatId)) * 2 > abilities.budget.messages;

  async function sayPart(chatId: string, key: string, part: Outgoing): Promise<void> {
    const record = (ref: string) =>
      chatLog.recordSent({ channel: door.id, key, chatKey: chatId, ref }, clock.now());
    await door.pace?.(chatId);
    await budget.spend(chatId);
    await record('');
    await record((await door.send(chatId, part)) || 'sent');
  }

  return async (chatId: string, reply: Reply, language: Language): Promise<void> => {
    const replyWith = (numbers: string) => messages.text('bots.replyWith', language, { numbers });
    const parts = pack(reply, abilities, replyWith);
    // Where there are edits, the last part has the buttons and is the one that is edited.
    const plain = abilities.edits ? parts.length - 1 : 0;
    const milestone = reply.milestone && !abilities.edits ? `@${reply.milestone}` : '';
    for (const [i, part] of parts.entries()) {
      const key = `${chatId}:${reply.key}${milestone}${i === plain ? '' : `#${i}`}`;
      const before = await chatLog.sent(door.id, key);
      if (before?.ref) {
        const isDue = i === plain && !reply.once && (!reply.frequent || isTime(chatId));
        if (abilities.edits && isDue) await door.edit?.(chatId, before.ref, part);
        continue;
      }
      // Begun and never confirmed: a passing word is let go, a file or an offer is worth a repeat.
      if (reply.passing && (before || !(await isAffordable(chatId)))) continue;
      await sayPart(chatId, key, part);
    }
    const asLines = (reply.choices?.flat().length ?? 0) > abilities.buttonsMax;
    if (reply.choices && asLines) await choices.offer(chatId, reply.choices);
  };
}

/** Whether a chat's progress may be shown once more. */
function pacemaker(clock: Clock): (chatId: string) => boolean {
  /** When a chat's progress was shown last, ms. */
  const shownMs = new Map<string, number>();
  return (chatId) => {
    const now = clock.now();
    for (const [chat, atMs] of shownMs) if (now - atMs >= frequentMs) shownMs.delete(chat);
    if (shownMs.has(chatId)) return false;
    shownMs.set(chatId, now);
    return true;
  };
}
