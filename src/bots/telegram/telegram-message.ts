/** What of a Bot API message we read. Everything is hostile until checked. */
export interface Message {
  readonly message_id: number;
  readonly chat: { readonly id: number; readonly type: string };
  readonly message_thread_id?: number;
  readonly is_topic_message?: boolean;
  readonly from?: Person;
  /** Who speaks instead of `from`: an anonymous admin's group, or a channel. */
  readonly sender_chat?: { readonly id: number };
  readonly text?: string;
  readonly caption?: string;
  readonly media_group_id?: string;
  readonly photo?: readonly Size[];
  readonly document?: Size & { readonly mime_type?: string; readonly file_name?: string };
  readonly reply_to_message?: Partial<Message> & { readonly message_id: number };
  /** A reply to a message of another chat. */
  readonly external_reply?: Pick<Message, 'photo' | 'document'>;
  readonly successful_payment?: {
    readonly currency: string;
    readonly total_amount: number;
    readonly invoice_payload: string;
    readonly telegram_payment_charge_id: string;
  };
  readonly migrate_to_chat_id?: number;
  readonly migrate_from_chat_id?: number;
  readonly date: number;
}

/** A person, or a bot. */
export interface Person {
  readonly id: number;
  readonly username?: string;
  readonly is_bot?: boolean;
  readonly language_code?: string;
}

interface Size {
  readonly file_id: string;
  readonly width?: number;
  readonly height?: number;
  readonly file_size?: number;
}

/** Some phones send pictures as files of no type: the name tells. */
const pictureName = /\.(?:jpe?g|png|webp|avif|heic|heif|tiff?|bmp|gif)$/i;

interface Picture extends Size {
  readonly file_name?: string;
  readonly compressed: boolean;
}

/** The picture in a message, at its largest. */
export function pictureOf({
  photo,
  document,
}: Pick<Message, 'photo' | 'document'>): Picture | undefined {
  const largest = photo?.at(-1);
  if (largest) return { ...largest, compressed: true };
  const isImage =
    document?.mime_type?.startsWith('image/') || pictureName.test(document?.file_name ?? '');
  return document && isImage ? { ...document, compressed: false } : undefined;
}

/** The app's own words about a chat, which nobody said. @see core.telegram.org/bots/api#message */
const serviceFields: ReadonlySet<string> = new Set([
  ...['new_chat_members', 'new_chat_member', 'new_chat_participant', 'left_chat_member'],
  ...['left_chat_participant', 'new_chat_title', 'new_chat_photo', 'delete_chat_photo'],
  ...['message_auto_delete_timer_changed', 'migrate_to_chat_id', 'migrate_from_chat_id'],
  ...['pinned_message', 'invoice', 'successful_payment', 'refunded_payment', 'users_shared'],
  ...['user_shared', 'chat_shared', 'gift', 'unique_gift', 'connected_website', 'passport_data'],
  ...['write_access_allowed', 'proximity_alert_triggered', 'boost_added', 'chat_background_set'],
  ...['giveaway', 'giveaway_winners', 'web_app_data', 'checklist_tasks_done'],
]);

/** Fields of service messages end so, those of tomorrow too (`forum_topic_created`). */
const serviceName =
  /_(?:created|closed|reopened|edited|hidden|unhidden|changed|set|added|deleted|removed|started|ended|scheduled|invited|shared|allowed|joined|completed|refunded|paid|approved|declined|failed|sent|upgraded|left|triggered)$/;

/** Whether a message was made by the app, not by a person. */
export function isService(message: object): boolean {
  return Object.keys(message).some((name) => serviceFields.has(name) || serviceName.test(name));
}
