import { createHash } from 'node:crypto';

/**
 * Name of a cut upload on the disk: nobody reaches another customer's by choosing a number.
 * @param uploadId '' for the beginning that all of a customer's have in common.
 */
export function partName(customerId: string, uploadId: string): string {
  return `${createHash('sha256').update(customerId).digest('hex').slice(0, 24)}-${uploadId}`;
}
