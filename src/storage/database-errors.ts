import {
  DatabaseAway,
  DatabaseDamaged,
  DiskUnavailable,
  StudioError,
  systemCodeOf,
} from '../studio/errors/index.js';

const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  '57P01', // administrator shut it down
  '57P02', // crashed
  '57P03', // starting up
  '53300', // too many connections
  '57P04', // database dropped
  '57P05', // idle session ended
  '57014', // a query cancelled by the server's own time limit
  '25006', // read-only: a standby, or the primary that has just become one
  '55000', // not in the state for it: failing over
  '53200', // out of memory
  '58030', // its disk
  '08000',
  '08001',
  '08004',
  '08003',
  '08006',
  '3D000', // no such database
  '28P01', // wrong password
  '28000',
]);

/** Deadlock, serialisation failure, somebody else's lock: the same work may succeed now. */
const againCodes = new Set(['40P01', '40001', '55P03', 'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT']);

/** Whether the same transaction may succeed when it is run again. */
export function mayRunAgain(error: unknown): boolean {
  return againCodes.has(systemCodeOf(error) ?? '');
}

/** The driver's own error as one of ours; what is none of these is a bug and stays as it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (error instanceof StudioError) return error;
  const code = systemCodeOf(error) ?? '';
  const message = error instanceof Error ? error.message : String(error);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return new DatabaseDamaged(message, error);
  if (/^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(code) || code === '53100') {
    return new DiskUnavailable('database', message, error);
  }
  if (/^E(NOSPC|ROFS|ACCES|PERM)$/.test(code)) return new DiskUnavailable('database', code, error);
  const away =
    awayCodes.has(code) ||
    mayRunAgain(error) ||
    /^(Connection terminated|Query read timeout|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
      message,
    );
  return away ? new DatabaseAway(error) : error;
}
