import { RemoteFault, type RemoteFaultKind, reasonOf } from './remote-store.js';

/** Answers after which a second try at once is worth it, beside all 5xx. */
const passing = new Set([
  'RequestTimeTooSkewed', // the client has corrected its clock by the answer's Date
  'RequestTimeout',
  'SlowDown',
  'TooManyRequests',
  'OperationAborted',
  'IncompleteBody',
  'NoSuchUpload', // somebody else has just completed or aborted it
]);
const damaged = new Set(['BadDigest', 'XAmzContentSHA256Mismatch', 'InvalidDigest']);
const missing = new Set(['NoSuchKey', 'NotFound']);

/** What the S3 client throws, as we know it. */
export function s3Fault(error: unknown): RemoteFault {
  if (error instanceof RemoteFault) return error;
  const { name, message, Code, $metadata } = error as {
    name?: string;
    message?: string;
    Code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  const code = Code ?? name ?? '';
  if (status === undefined) return new RemoteFault('broken', reasonOf(error), { cause: error });
  return new RemoteFault(kindOf(code, status), `${status} ${code}: ${message}`.slice(0, 300), {
    cause: error,
  });
}

function kindOf(code: string, status: number): RemoteFaultKind {
  if (missing.has(code)) return 'missing';
  if (damaged.has(code)) return 'damaged';
  if (passing.has(code) || status >= 500 || status === 429 || status === 408) return 'broken';
  return status < 400 ? 'broken' : 'refused';
}
