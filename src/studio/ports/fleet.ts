/** One box that colours photos, as it describes itself. */
export interface BoxReport {
  /** Name in leases and timelines, e.g. `box1:4711`. */
  readonly worker: string;
  readonly version: string;
  readonly startedMs: number;
  /** `away`: it cannot reach the photos and takes none. `paused`: its card rests. */
  readonly state: 'working' | 'idle' | 'paused' | 'away';
  readonly cards: readonly BoxCard[];
  /** Models that are here. */
  readonly models: readonly string[];
  /** Models that could not be had lately; it is asked again after a while. Absent: none. */
  readonly without?: readonly string[];
  readonly maxSizePx?: number;
  /** Measured, for one photo at 512 px. */
  readonly seconds?: number;
  readonly photosAtOnce: number;
  readonly photosDone: number;
  readonly blobs: 'folder' | 's3' | 'studio';
}

/** A card as its box tells it. */
export interface BoxCard {
  readonly uuid: string;
  readonly name: string;
  readonly state: string;
  readonly temperatureC?: number;
  readonly memoryTotalMiB?: number;
}

/** A box and when it was last heard. */
export interface SeenBox extends BoxReport {
  /** Last sign of life, ms since 1970, by the reader's clock. */
  readonly seenMs: number;
}

/** Who is there. What a box says of itself is forgotten when it stops saying it. */
export interface Fleet {
  /** Now and every few seconds; never rejects. */
  announce(report: BoxReport): Promise<void>;
  leave(worker: string): Promise<void>;
  /** @throws {QueueAway} */
  list(): Promise<SeenBox[]>;
  close(): void;
}
