/** Inferences of one card, or of all processors, in a period. */
export interface WorkFacts {
  /** Execution provider: cpu, cuda, webgpu... */
  readonly provider: string;
  /** Name of the card; null: a processor, or a card from before names were kept. */
  readonly card: string | null;
  readonly cardId: string | null;
  readonly inferences: number;
  /** The network alone. */
  readonly seconds: number;
  /** Of those, seconds whose energy was measured, and that energy. */
  readonly measuredSeconds: number;
  readonly joules: number;
  /** First and last of them, ms since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What the database knows about a period. */
export interface PeriodFacts {
  /** Photos that got at least one look. */
  readonly photos: number;
  readonly work: readonly WorkFacts[];
}

/** Where the facts of reports come from. */
export interface PeriodReports {
  /** Looks made in [fromMs, toMs), those of photos deleted since included. @throws {DatabaseAway} */
  period(fromMs: number, toMs: number): Promise<PeriodFacts>;
}
