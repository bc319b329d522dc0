import type { StudioConfig } from './config.js';
import type { Live } from './live.js';
import type { Places } from './places.js';
import type { ChannelId, Clock, Ids, Logger } from './ports/basics.js';
import type { Blobs } from './ports/blobs.js';
import type { ChatChannel } from './ports/channel.js';
import type { Colorizer } from './ports/colorizer.js';
import type { ChromaCodec, Files } from './ports/files.js';
import type { GatewayId, PaymentGateway } from './ports/gateway.js';
import type { Metrics } from './ports/metrics.js';
import type { JobQueue } from './ports/queue.js';
import type { Store } from './ports/store.js';

/** What the studio is built from. */
export interface StudioDeps {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly queue: JobQueue;
  readonly colorizer: Colorizer;
  readonly files: Files;
  readonly planes: ChromaCodec;
  /** Only those that run here; telling a customer of another channel waits for its process. */
  readonly channels: ReadonlyMap<ChannelId, ChatChannel>;
  readonly gateways: ReadonlyMap<GatewayId, PaymentGateway>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** Default: nobody is told. */
  readonly metrics?: Metrics;
  /** One-way and keyed or slow enough for codes of our length, hex. */
  readonly hash: (text: string) => string;
}

/** What every call and stage works with. */
export interface Context extends StudioDeps {
  readonly config: StudioConfig;
  readonly live: Live;
  readonly metrics: Metrics;
  readonly places: Places;
  /** A time that has passed for certain, for what cannot be taken back. */
  readonly sureTime: () => Promise<number>;
}
