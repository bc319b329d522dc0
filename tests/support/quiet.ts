import type { Clock, Logger } from '../../src/studio/ports/basics.js';

/** The machine's own clock. */
export const wallClock: Clock = { now: () => Date.now() };

/** A logger that keeps its lines for the test to read. */
export function keepingLogger(): Logger & {
  lines: { level: string; event: string; fields?: Record<string, unknown> }[];
} {
  const lines: { level: string; event: string; fields?: Record<string, unknown> }[] = [];
  const at = (level: string) => (event: string, fields?: Record<string, unknown>) => {
    lines.push({ level, event, ...(fields ? { fields } : {}) });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
