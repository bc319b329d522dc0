/** A lease as the table has it. */
export interface Lease {
  readonly token: string;
  readonly untilMs: number;
}

/** Renewals missed in a row, as seen from here, after which a lapsed lease is believed to be one. */
const missedBeats = 3;

/**
 * Tells leases of dead workers from those of living ones without trusting the time of day: a clock that
 * is set ahead makes all leases lapse, one that is set back makes a dead worker's last for hours. What a
 * living worker does is renew, and that is watched with a clock that nobody sets.
 */
export class LeaseWatch {
  private readonly seen = new Map<string, { untilMs: number; sinceMs: number }>();

  /**
   * @param beatMs how often a living worker renews.
   * @param steadyMs a clock that is never set.
   */
  constructor(
    private readonly leaseMs: number,
    private readonly beatMs: number,
    private readonly steadyMs: () => number = () => performance.now(),
  ) {}

  /**
   * @param leases all there are now. @param nowMs the time of day.
   * @returns those not renewed for a whole lease, and lapsed ones not renewed for some beats.
   */
  dead(leases: readonly Lease[], nowMs: number): Lease[] {
    const steadyMs = this.steadyMs();
    const there = new Set(leases.map(({ token }) => token));
    for (const token of this.seen.keys()) if (!there.has(token)) this.seen.delete(token);
    return leases.filter(({ token, untilMs }) => {
      const before = this.seen.get(token);
      if (before?.untilMs !== untilMs) {
        this.seen.set(token, { untilMs, sinceMs: steadyMs });
        return false;
      }
      const silentMs = steadyMs - before.sinceMs;
      const lapsed = untilMs < nowMs;
      return silentMs >= (lapsed ? missedBeats * this.beatMs : this.leaseMs);
    });
  }
}
