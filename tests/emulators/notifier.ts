/** How a provider's notifications travel; a test turns the knobs. */
export interface NotifierOptions {
  /** Waits between tries; the real ones are minutes. */
  readonly retryMs: readonly number[];
  /** Asked per try. `lose`: never sent. `duplicate`: sent twice. */
  readonly fate: () => 'deliver' | 'lose' | 'duplicate';
  /** Asked per notification: how late the first try is, so that later ones may overtake it. */
  readonly delayMs?: () => number;
}

export interface Notification {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Is this answer what the provider wants to hear? */
  readonly accepted: (status: number, body: string) => boolean;
}

/** Sends notifications and repeats them until accepted, as both providers do. */
export class Notifier {
  private readonly running = new Set<Promise<void>>();
  private closed = false;
  /** Everything ever sent or lost, for replays and assertions. */
  readonly sent: Notification[] = [];

  constructor(private readonly options: NotifierOptions) {}

  /** @param build called for every try: time stamps and signatures are fresh each time. */
  send(build: () => Notification): void {
    const task = this.deliver(build).finally(() => this.running.delete(task));
    this.running.add(task);
  }

  /** Wait until nothing is under way. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.idle();
  }

  private async deliver(build: () => Notification): Promise<void> {
    for (const waitMs of [this.options.delayMs?.() ?? 0, ...this.options.retryMs]) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.closed) return;
      const notification = build();
      this.sent.push(notification);
      const fate = this.options.fate();
      if (fate === 'lose') continue;
      if (fate === 'duplicate') await this.post(notification);
      if (await this.post(notification)) return;
    }
  }

  private async post({ url, headers, body, accepted }: Notification): Promise<boolean> {
    try {
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error' });
      return accepted(response.status, await response.text());
    } catch {
      return false;
    }
  }
}
