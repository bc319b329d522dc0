import os from 'node:os';
import type { Actor } from '../studio/ports/operator.js';

/** The login under which the command runs. */
export function whoAmI(): Actor {
  try {
    return { door: 'cli', name: os.userInfo().username };
  } catch {
    // A user id without an entry, as in some containers.
    return { door: 'cli', name: `${process.getuid?.() ?? ''}` };
  }
}
