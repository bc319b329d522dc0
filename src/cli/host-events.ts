import type { HostEvent } from '../inference/sessions/index.js';
import type { Logger } from '../studio/ports/basics.js';

const worrying = new Set<HostEvent['name']>([
  'providerFallback',
  'outOfMemory',
  'timedOut',
  'cardStopped',
]);

/** What happens to the inference process, as log lines. */
export function logHostEvent(logger: Logger, event: HostEvent): void {
  const { name, ...fields } = event;
  const worries = worrying.has(name) || (event.name === 'exited' && !event.expected);
  logger[worries ? 'warn' : 'debug'](`inference.${name}`, fields);
}
