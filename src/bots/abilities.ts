/**
 * What a channel can carry. The conversation and `pack.ts` ask this and nothing else: they never
 * know which channel they speak through.
 */
export interface Abilities {
  /** Most buttons under one message; 0: choices become numbered lines that people answer with. */
  readonly buttonsMax: number;
  /** A message can be changed later: status messages move instead of being said once. */
  readonly edits: boolean;
  /** A message of ours can reply to one of the person's: it shows which photo it is about. */
  readonly replies: boolean;
  /** Most pictures that go as one message; 1: each goes alone. */
  readonly picturesTogether: number;
  /**
   * Longest text of one message, in UTF-16 units; longer ones are cut into several. A channel that
   * counts bytes gives a third of them. `Infinity`: no limit.
   */
  readonly textMax: number;
  /** Longest text under a picture or file; 0: words go as a message of their own after it. */
  readonly captionMax: number;
  /** People can write words under a photo. Otherwise a style named beside a photo is meant for it. */
  readonly incomingCaptions: boolean;
  /** Largest file that can be fetched from the channel, bytes; absent: no limit. */
  readonly downloadLimitBytes?: number;
  /** Largest file that can be sent, bytes; absent: no limit. */
  readonly uploadLimitBytes?: number;
  /** How much may be said per message of the person; absent: as much as the pace lets through. */
  readonly budget?: Budget;
}

/** A channel that lets us answer only, and only so much. */
export interface Budget {
  /** Messages of ours, of any kind, per message of the person. */
  readonly messages: number;
  /** Nothing can be said later than this after the person's last message, ms. */
  readonly withinMs: number;
}
