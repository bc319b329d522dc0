/** Photos remembered; the middle one of them is the measure, so that one slow download is none. */
const remembered = 9;

/** Seconds per photo of this box, of the size that counts as one. */
export class SpeedMeter {
  private readonly seconds: number[] = [];

  /** @param first what the operator said, until something is measured. */
  constructor(private readonly first: number | undefined) {}

  /** @param cost work of this photo, 1 for one at 512 px. */
  record(ms: number, cost: number): void {
    this.seconds.push(ms / 1000 / cost);
    if (this.seconds.length > remembered) this.seconds.shift();
  }

  /** Undefined: not known yet. */
  get value(): number | undefined {
    if (this.seconds.length === 0) return this.first;
    const sorted = [...this.seconds].sort((a, b) => a - b);
    return Number(sorted[sorted.length >> 1]!.toFixed(3));
  }
}
