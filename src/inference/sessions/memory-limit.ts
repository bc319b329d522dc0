import { readFileSync } from 'node:fs';

/**
 * Whether a limit lies on the memory that a process may map (`ulimit -v`, `LimitAS=`). Whoever meets
 * it sees anything: a null pointer used (SIGSEGV), an exception without a text, a thread that was
 * never started and is waited for. False where the system does not say (not Linux, process gone).
 */
export function memoryLimited(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/limits`, 'utf8');
    return /^Max (address space|data size)\s+\d/m.test(text);
  } catch {
    return false;
  }
}
