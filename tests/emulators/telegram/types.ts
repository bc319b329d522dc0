/** The parts of the Bot API's objects that the emulator keeps. */
export interface TgUser {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
  readonly language_code?: string;
}

export interface TgChat {
  readonly id: number;
  readonly type: 'private' | 'group' | 'supergroup';
  readonly first_name?: string;
  readonly title?: string;
  readonly is_forum?: boolean;
}

export interface TgPhotoSize {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly width: number;
  readonly height: number;
  readonly file_size: number;
}

export interface TgMessage {
  readonly message_id: number;
  readonly date: number;
  readonly chat: TgChat;
  readonly from?: TgUser;
  /** The group, of an anonymous admin; a channel, of its posts. */
  readonly sender_chat?: { readonly id: number; readonly type: string; readonly title?: string };
  readonly message_thread_id?: number;
  readonly is_topic_message?: boolean;
  readonly migrate_to_chat_id?: number;
  readonly migrate_from_chat_id?: number;
  text?: string;
  caption?: string;
  entities?: { type: string; offset: number; length: number }[];
  caption_entities?: { type: string; offset: number; length: number }[];
  media_group_id?: string;
  forward_origin?: { type: string; date: number; sender_user_name?: string };
  photo?: TgPhotoSize[];
  document?: {
    file_id: string;
    file_unique_id: string;
    file_name?: string;
    mime_type?: string;
    file_size: number;
  };
  reply_markup?: { inline_keyboard?: TgButton[][] };
  reply_to_message?: TgMessage;
  invoice?: { title: string; currency: string; total_amount: number };
  successful_payment?: Record<string, unknown>;
  refunded_payment?: Record<string, unknown>;
  edit_date?: number;
}

export interface TgButton {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
  readonly pay?: boolean;
}

export interface TgFile {
  readonly id: string;
  readonly uniqueId: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly name?: string;
  readonly mime?: string;
}

export interface TgInvoice {
  readonly payload: string;
  readonly currency: string;
  readonly amount: number;
  readonly title: string;
}

export interface TgUpdate {
  readonly update_id: number;
  readonly [kind: string]: unknown;
}

/** A Bot API "no", as it goes over the wire. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    description: string,
    readonly retryAfter?: number,
    readonly migrateTo?: number,
  ) {
    super(description);
  }
}
