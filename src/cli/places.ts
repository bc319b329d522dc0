import os from 'node:os';
import path from 'node:path';
import type { Config } from './config.js';

/** Name of this process in leases and timelines. */
export const workerName = () => `${os.hostname()}:${process.pid}`;

/** Folders and files of an installation, absolute. */
export type Places = ReturnType<typeof placesOf>;

/** Where the settings put them. */
export function placesOf({ paths: { dataDir } }: Pick<Config, 'paths'>) {
  const below = (...names: string[]) => path.join(dataDir, ...names);
  return {
    dataDir,
    database: below('studio.db'),
    blobs: below('blobs'),
    uploads: below('uploads'),
    uploadParts: below('upload-parts'),
    fleetUploads: below('fleet-uploads'),
    scratch: below('tmp'),
    sandbox: below('sandbox'),
    key: (name: string) => below('keys', name),
  };
}
