/** What a card's driver said at one moment. A field is absent where the driver says N/A. */
export interface CardReading {
  /** `GPU-5f1c...` for NVIDIA, the serial or PCI address for AMD; stable over restarts. */
  readonly uuid: string;
  /** Place from 0: NVIDIA's in PCI order, then AMD's. `inference.deviceId` means this. */
  readonly index: number;
  readonly name: string;
  readonly vendor: 'nvidia' | 'amd';
  readonly driverVersion?: string;
  /** CUDA compute capability, such as `6.1` for Pascal. */
  readonly computeCapability?: string;
  readonly temperatureC?: number;
  /** The driver slows the card down from here on. */
  readonly slowdownC?: number;
  readonly fanPercent?: number;
  readonly powerW?: number;
  readonly memoryTotalMiB?: number;
  readonly memoryUsedMiB?: number;
  readonly utilizationPercent?: number;
  /** The driver slows it down right now because of heat. */
  readonly thermalSlowdown: boolean;
  /** When it was read, ms since 1970. */
  readonly atMs: number;
}

/**
 * - `working`: takes work.
 * - `paused`: hot; takes no new work, what runs ends.
 * - `stopped`: too hot; what runs is broken off.
 * - `unknown`: its driver is silent. Takes no work if its temperature was known before.
 */
export type CardState = 'working' | 'paused' | 'stopped' | 'unknown';

/** Why a card does not work. */
export type CardReason = 'hot' | 'tooHot' | 'slowdown' | 'silent';

/** A card, and whether it may work. */
export interface CardStatus {
  /** The last one there was; see `atMs` for its age. */
  readonly reading: CardReading;
  readonly state: CardState;
  readonly reason?: CardReason;
  /** In this state since, ms since 1970. */
  readonly sinceMs: number;
  /** Times it left `working` since the start. */
  readonly pauses: number;
  /** The guard's bounds for this card, °C. */
  readonly bounds: CardBounds;
}

/** Temperatures at which the guard acts. */
export interface CardBounds {
  /** No new work from here on. */
  readonly pauseC: number;
  /** Works again at or under this. */
  readonly resumeC: number;
  /** What runs is broken off from here on. */
  readonly stopC: number;
}

/** A card changed its state. */
export interface CardChange {
  readonly status: CardStatus;
  readonly from: CardState;
}

/** The cards of this machine: what they say and whether they may work. */
export interface Cards {
  /** By `index`; empty without cards, or where nobody watches. */
  status(): readonly CardStatus[];
  /**
   * Asked before work is taken. True for a card nobody can read: not every machine has a driver
   * that tells temperatures, and `huancai doctor` warns of it.
   */
  mayWork(deviceIndex: number): boolean;
  /** @returns unsubscribe. */
  onChange(listener: (change: CardChange) => void): () => void;
  /** Called after each poll, changed or not: metrics and energy. @returns unsubscribe. */
  onReading(listener: (cards: readonly CardStatus[]) => void): () => void;
  /** Read once, then every `pollMs`. Resolves after the first reading; never rejects. */
  start(): Promise<void>;
  close(): Promise<void>;
}
