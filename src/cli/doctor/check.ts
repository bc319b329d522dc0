import type { Shell } from '../shell.js';

/** One line of the doctor's report. */
export interface Finding {
  /** Short name of what was checked. */
  readonly name: string;
  /** `warn`: works, but not as well as it could. `fail`: something will not work. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** Key of what was found and, where not ok, what to do. */
  readonly key: string;
  readonly params?: Readonly<Record<string, string | number>>;
}

/** Looks at one thing; several findings where there are several of it. Must not change anything. */
export type Check = (shell: Shell) => Promise<Finding[]>;
