import type { Intent } from './intent.js';

/** A picture or file in a reply: a blob of the studio, or bytes made for the moment (QR codes). */
export type Media =
  | { readonly blobKey: string; readonly name: string }
  | { readonly bytes: Uint8Array; readonly name: string };

/** One thing to choose, as a button or a numbered line. */
export interface Choice {
  readonly label: string;
  /** Either says something back, or opens a page. */
  readonly intent?: Intent;
  readonly url?: string;
}

/** Which photo a message is about. */
export interface About {
  /** Natural key of the message that brought it, where it came through this channel. */
  readonly message?: string;
  /** Its number, in words, for where no message can be replied to; absent: it came alone. */
  readonly words?: string;
}

/** One message of ours, free of any channel's ways. Text is localised plain text. */
export interface Reply {
  /**
   * Natural key: the same key again edits the message that has it, or does nothing where the
   * channel cannot edit.
   */
  readonly key: string;
  readonly text: string;
  /** The photo that this is about. */
  readonly about?: About;
  /** Shown as a picture with the text under it. */
  readonly picture?: Media;
  /** Several pictures shown together (album previews); a text comes after them. */
  readonly pictures?: readonly Media[];
  /** Sent as a file, never recompressed. */
  readonly file?: Media;
  /** What is said where the file is too large to go. */
  readonly instead?: string;
  /** Rows of buttons, or numbered lines where there are no buttons. */
  readonly choices?: readonly (readonly Choice[])[];
  /** Said once and never edited: what a broadcast told stays told. */
  readonly once?: boolean;
  /** A short-lived status ("3rd in the queue"): WeChat leaves all but the first out. */
  readonly passing?: boolean;
  /** One of many such edits: left out when the one before was only just shown. */
  readonly frequent?: boolean;
  /** Where nothing can be edited, a passing word is said once more at each milestone. */
  readonly milestone?: string;
}
