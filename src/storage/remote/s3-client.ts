import { S3Client } from '@aws-sdk/client-s3';

/** A bucket of any service that speaks S3. */
export interface S3Config {
  /** Such as https://oss-cn-hangzhou.aliyuncs.com; absent: Amazon's own. */
  readonly endpoint?: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`: MinIO wants it, Aliyun OSS refuses it. */
  readonly pathStyle: boolean;
  /** Begins every key, without a trailing slash; may be empty. */
  readonly prefix: string;
  /** A silent connection is given up after this, ms. */
  readonly stallMs: number;
}

/** What it has to say arrives as errors. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * A client for any server that speaks S3. Newer checksum headers are left out: Aliyun OSS and COS
 * refuse them; MD5 and sha256 of each body are sent instead, which all of them check.
 */
export function createS3Client(config: S3Config): S3Client {
  const { accessKeyId, secretAccessKey, endpoint, region, pathStyle, stallMs } = config;
  return new S3Client({
    ...(endpoint ? { endpoint } : {}),
    region,
    forcePathStyle: pathStyle,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    logger: silent,
    // A stream can be sent once: trying again is ours.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: Math.min(stallMs, 5_000), socketTimeout: stallMs },
  });
}
