import { statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import type { Abilities } from '../../src/bots/abilities.js';
import type { Intent } from '../../src/bots/conversation/intent.js';
import type { Choice } from '../../src/bots/conversation/reply.js';
import type { Door, Inward, Outgoing } from '../../src/bots/door.js';
import { ChannelAway } from '../../src/studio/errors/index.js';
import type { ChannelId } from '../../src/studio/ports/basics.js';

/** A channel that is no channel of the product: whoever adds one writes what this file holds. */
export const memoryChannel = 'memory' as ChannelId;

/** Plain as a channel without buttons, edits and groups. */
export const plainAbilities: Abilities = {
  ...{ buttonsMax: 0, edits: false, replies: false, picturesTogether: 1 },
  ...{ textMax: 1_000, captionMax: 0, incomingCaptions: false },
};

/** What a person sees: one message of ours as it stands now. */
export interface Shown extends Outgoing {
  readonly chatId: string;
}

interface Payload {
  readonly chatId: string;
  readonly text?: string;
  /** A photo's path. */
  readonly file?: string;
  /** Of a pressed button. */
  readonly intent?: Intent;
}

export interface MemoryDoor extends Door {
  /** Messages of ours, oldest first; edited ones in their place. */
  readonly shown: Shown[];
  /** How often a message was changed. */
  readonly edited: () => number;
  /** Messages that the channel's own budget would not have let through. */
  readonly beyondBudget: () => number;
  /** Messages of ours since this person's last one. */
  readonly sinceWord: (chatId: string) => number;
  /** While it is away nothing can be sent. */
  setAway(away: boolean): Promise<void>;
  person(chatId: string): MemoryPerson;
}

/** Somebody at the other end. */
export interface MemoryPerson {
  readonly chatId: string;
  readonly sees: () => readonly Shown[];
  /** @param key the channel's id of the message; default: a new one. */
  says(text: string, key?: string): Promise<void>;
  sends(file: string): Promise<void>;
  presses(choice: Choice | undefined): Promise<void>;
}

/** A chat channel in this process's memory. */
export function openMemoryDoor(abilities: Abilities = plainAbilities): MemoryDoor {
  const shown: Shown[] = [];
  let edits = 0;
  let sent = 0;
  let isAway = false;
  let into: Inward | undefined;
  let beyond = 0;
  const since = new Map<string, number>();
  const known = new Set<string>();

  function tell(payload: Payload, key = `m${++sent}`): Promise<void> {
    // A repeat of an old message gives nothing new.
    if (!known.has(key)) since.set(payload.chatId, 0);
    known.add(key);
    return into!.receive({ key, chatKey: payload.chatId, payload });
  }

  return {
    id: memoryChannel,
    abilities,
    ...{ keyPrefix: 'me', language: 'en', newsWait: true, canBeBlocked: false },
    albums: {
      ...{ quietMs: 400, gatherMaxMs: 5_000, betweenMs: 400 },
      ...{ batchPhotos: 9, marksGroups: false },
    },
    async start(inward) {
      into = inward;
      await inward.open();
    },
    stop: async () => {},
    ready: () => !isAway,
    understand({ key, payload }) {
      const { chatId, text, file, intent } = payload as Payload;
      const who = { chatId, userId: chatId };
      if (!file) return { kind: 'said', who, text, intent };
      const { size: bytes } = statSync(file);
      const photo = { key: `me:${key}`, fileRef: file, bytes, compressed: false };
      return { kind: 'said', who, intent: { kind: 'photos', photos: [photo] } };
    },
    async pace() {
      if (isAway) throw new ChannelAway(memoryChannel, 60_000);
    },
    async send(chatId, message) {
      const said = (since.get(chatId) ?? 0) + 1;
      since.set(chatId, said);
      if (abilities.budget && said > abilities.budget.messages) beyond += 1;
      return String(shown.push({ ...message, chatId }));
    },
    async edit(chatId, ref, message) {
      edits += 1;
      shown[Number(ref) - 1] = { ...message, chatId };
    },
    fetchFile: (fileRef, file) => copyFile(fileRef, file),
    shown,
    edited: () => edits,
    beyondBudget: () => beyond,
    sinceWord: (chatId) => since.get(chatId) ?? 0,
    async setAway(away) {
      isAway = away;
      if (!away) await into?.catchUp();
    },
    person: (chatId) => ({
      chatId,
      sees: () => shown.filter((one) => one.chatId === chatId),
      says: (text, key) => tell({ chatId, text }, key),
      sends: (file) => tell({ chatId, file }),
      presses: (choice) => tell({ chatId, intent: choice?.intent }),
    }),
  };
}
