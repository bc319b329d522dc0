import type { ModelStore } from '../../inference/models/index.js';
import { Cancelled } from '../../studio/errors/index.js';
import type { Clock, Logger } from '../../studio/ports/basics.js';
import type { Colorizer } from '../../studio/ports/colorizer.js';

/** A model that could not be had is asked for again after this, ms. */
const askAgainMs = 120_000;

/** Models come to a box when a photo asks for them. */
export class ModelSupply {
  private readonly failedMs = new Map<string, number>();

  constructor(
    private readonly models: Pick<ModelStore, 'info' | 'pull'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Fetch a model of the catalog unless it is here. @throws what pulling throws. */
  async ensure(model: string, signal?: AbortSignal): Promise<void> {
    if (!this.lacks(model)) return;
    this.logger.info('model.pulling', { model });
    try {
      const { bytes = 0 } = await this.models.pull(model, signal ? { signal } : {});
      this.failedMs.delete(model);
      this.logger.info('model.pulled', { model, bytes });
    } catch (error) {
      if (!(error instanceof Cancelled)) {
        this.failedMs.set(model, this.clock.now());
        this.logger.warn('model.pullFailed', { model, error });
      }
      throw error;
    }
  }

  /** Models that could not be had lately: photos that want them go to other boxes. */
  without(): string[] {
    const nowMs = this.clock.now();
    return [...this.failedMs].filter(([, ms]) => nowMs - ms < askAgainMs).map(([model]) => model);
  }

  /** A colouriser that fetches the model first. */
  before(colorizer: Colorizer): Colorizer {
    return {
      ...colorizer,
      predict: async (file, options, context = {}) => {
        await this.ensure(options.model, context.signal);
        return colorizer.predict(file, options, context);
      },
    };
  }

  private lacks(model: string): boolean {
    try {
      return !this.models.info(model).installed;
    } catch {
      // A path, an alias or an unknown name: predicting says what is wrong.
      return false;
    }
  }
}
