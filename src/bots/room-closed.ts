import { CustomerUnreachable } from '../studio/errors/index.js';

/**
 * Others read along in this chat, but we may not write there: a closed topic, a group in which
 * only admins speak. The person can be told alone.
 */
export class RoomClosed extends CustomerUnreachable {}
