import type { Clock, Logger } from '../../studio/ports/basics.js';
import type { Metrics } from '../../studio/ports/metrics.js';
import type { Config } from '../config.js';
import { addCardFigures, type CardFigureDeps } from './card-figures.js';
import type { Figures, MetricsListener } from './listener.js';
import { createRecorder } from './recorder.js';
import { addStudioFigures, type StudioFigureDeps } from './studio-figures.js';

/** The figures of one process. */
export interface Watch {
  readonly metrics: Metrics;
  /** Add what stands in the database: once, on processes that have one. */
  addStudio(deps: Omit<StudioFigureDeps, 'clock'>): void;
  /** Add the cards of this machine. */
  addCards(deps: CardFigureDeps): void;
  read(): Promise<Figures>;
  /** Open the port of its own, where one is configured. @throws {AddressInUse} */
  listen(): Promise<MetricsListener | undefined>;
}

/** Counting is cheap and always on; being asked needs METRICS_TOKEN or METRICS_PORT. */
export function openWatch(
  { clock, logger }: { clock: Clock; logger: Logger },
  { metrics: config }: Pick<Config, 'metrics'>,
): Watch {
  const { metrics, registry } = createRecorder();
  const refresh: (() => Promise<void> | void)[] = [];
  const read = async (): Promise<Figures> => {
    await Promise.all(refresh.map((work) => work()));
    return { contentType: registry.contentType, text: await registry.metrics() };
  };
  return {
    ...{ metrics, read },
    addStudio: (deps) => void refresh.push(addStudioFigures(registry, { ...deps, clock })),
    addCards: (deps) => void refresh.push(addCardFigures(registry, deps)),
    listen: async () => {
      const { host, port, token } = config;
      if (port === null) return undefined;
      const place = { host, port, ...(token ? { token } : {}) };
      const { openMetricsListener } = await import('./listener.js');
      const listener = await openMetricsListener(read, place);
      logger.info('metrics.open', { host, port: listener.port });
      return listener;
    },
  };
}
