import { BlobsAway, DatabaseAway, QueueAway, systemCodeOf } from '../studio/errors/index.js';

/** Whose fault it is, in words for the operator. */
export interface ServerFault {
  readonly server: 'redis' | 'postgres' | 's3';
  /** Key into config/messages: what happened and which setting to look at. */
  readonly messageKey: string;
  readonly params: Readonly<Record<string, string>>;
}

const redisWantsPassword =
  /^(NOAUTH|WRONGPASS|NOPERM)|unauthenticated|invalid password|AUTH <password>/;
/** Answers that speak of the server's state, not of what we asked. */
const redisRefuses =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|OOM|BUSY|UNKILLABLE|TRYAGAIN) |max number of clients/;
const redisAway =
  /^(Connection is closed|Command timed out|Stream isn't writeable|Socket closed unexpectedly|Reached the max retries per request limit)/;

/**
 * What a server's refusal or absence means, whoever throws it: our own errors and what drivers let go of.
 * @returns undefined for everything else, bugs of ours among it.
 */
export function serverFaultOf(error: unknown): ServerFault | undefined {
  if (error instanceof BlobsAway) return s3Fault(error);
  if (error instanceof QueueAway) return redisFault(error.cause) ?? fault('redis', 'away', error);
  if (error instanceof DatabaseAway) return postgresFault(error.cause);
  return redisFault(error) ?? strayPostgresFault(error);
}

/** A connection that broke, of whichever server: nobody's bug, and nothing more is known. */
export function isBrokenConnection(error: unknown): boolean {
  return /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/.test(
    systemCodeOf(error) ?? '',
  );
}

function fault(server: ServerFault['server'], kind: string, error: unknown): ServerFault {
  const { cause } = error as { cause?: unknown };
  const reason = reasonOf(error instanceof QueueAway ? (cause ?? error) : error);
  return { server, messageKey: `servers.${server}.${kind}`, params: { reason } };
}

function redisFault(error: unknown): ServerFault | undefined {
  const { name = '', message = '' } = (error ?? {}) as { name?: string; message?: string };
  if (redisWantsPassword.test(message)) return fault('redis', 'password', error);
  if (name === 'ReplyError' && redisRefuses.test(message)) return fault('redis', 'refuses', error);
  return redisAway.test(message) ? fault('redis', 'away', error) : undefined;
}

/** As the driver throws it; SQLSTATE classes that speak of the server and not of our statement. */
function strayPostgresFault(error: unknown): ServerFault | undefined {
  const code = systemCodeOf(error) ?? '';
  const state = error instanceof Error && 'severity' in error;
  if (state && /^(08...|28...|53...|57P..|3D000|25006|55000)$/.test(code))
    return postgresFault(error);
  const broken = error instanceof Error && /^Connection terminated/.test(error.message);
  return broken ? fault('postgres', 'away', error) : undefined;
}

function postgresFault(cause: unknown): ServerFault | undefined {
  const code = systemCodeOf(cause) ?? '';
  // SQLite has no server: its lock was taken for too long, and the message for customers fits.
  if (code.startsWith('SQLITE')) return undefined;
  if (/^28/.test(code)) return fault('postgres', 'password', cause);
  if (code === '3D000') return fault('postgres', 'database', cause);
  if (/^(25006|55000)$/.test(code) || /read-only/.test(reasonOf(cause)))
    return fault('postgres', 'readOnly', cause);
  return fault('postgres', 'away', cause);
}

function s3Fault(error: BlobsAway): ServerFault {
  const { reason, place } = error;
  const kind =
    /InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|InvalidToken|RequestTimeTooSkewed/.test(
      reason,
    )
      ? 'keys'
      : /NoSuchBucket|PermanentRedirect|AuthorizationHeaderMalformed|InvalidBucketName/.test(reason)
        ? 'bucket'
        : 'away';
  return { server: 's3', messageKey: `servers.s3.${kind}`, params: { reason, place } };
}

function reasonOf(error: unknown): string {
  if (error === undefined) return 'no answer';
  const { code, message } = error as { code?: string; message?: string };
  return (message || code || String(error)).split('\n', 1)[0]!.slice(0, 200);
}
