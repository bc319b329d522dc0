/** Greenhouse gases of electricity, kg CO2e per kWh. */
export interface GridFactor {
  readonly name: string;
  readonly kgPerKwh: number;
  readonly source: string;
}

/** Everything a report takes as given. All of it is printed with the report. */
export interface ImpactAssumptions {
  readonly grid: GridFactor;
  /** Power of the rest of the machine while it works, W. */
  readonly hostWatts: number;
  /** Power of a processor that colours, W. */
  readonly processorWatts: number;
  /** Rated board power of cards that tell none, W; the first whose name is part of the card's. */
  readonly ratedWatts: readonly { readonly card: string; readonly watts: number }[];
  /** Of cards that no name fits, W. */
  readonly unknownCardWatts: number;
  /** For the comparison with new cards, which is made only when asked for. */
  readonly newCard: {
    readonly kgCo2e: number;
    readonly uncertaintyPercent: number;
    readonly lifeMonths: number;
    readonly source: string;
  };
}

/** China's grid factors as published for 2022 (Ministry of Ecology and Environment). */
export const knownGrids = {
  china: { name: 'China 2022', kgPerKwh: 0.5366, source: 'MEE' },
  yunnan: { name: 'Yunnan 2022', kgPerKwh: 0.1073, source: 'MEE' },
} as const satisfies Readonly<Record<string, GridFactor>>;
