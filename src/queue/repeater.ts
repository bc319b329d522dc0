/**
 * Runs a task again and again, never twice at once: after the time the task itself names, or at
 * once when woken. The timers do not keep the process alive.
 */
export class Repeater {
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private again = false;
  private closed = false;

  /**
   * @param task does the work. @returns ms until the next run.
   * @param failedMs wait after a rejection, ms.
   */
  constructor(
    private readonly task: () => Promise<number>,
    private readonly failedMs: number,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Run now, or right after the present run. */
  wake(): void {
    if (this.closed) return;
    if (this.current) {
      this.again = true;
      return;
    }
    clearTimeout(this.timer);
    this.current = this.run();
  }

  /** No further runs; waits for the present one. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.current;
  }

  private async run(): Promise<void> {
    let waitMs = this.failedMs;
    try {
      waitMs = await this.task();
    } catch (error) {
      this.onError(error);
      this.again = false;
    }
    this.current = undefined;
    if (this.closed) return;
    if (this.again) {
      this.again = false;
      this.timer = setTimeout(() => this.wake(), 0);
    } else {
      this.timer = setTimeout(() => this.wake(), Math.max(1, waitMs));
    }
    this.timer.unref?.();
  }
}
