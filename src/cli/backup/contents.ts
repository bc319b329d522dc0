/**
 * Everything an installation keeps in its data folder, and whether a backup takes it along. A test
 * finds whatever is written there and not named here.
 */
export const dataFolder = {
  /** Signs cookies and seals chat sessions: without them nobody is recognised. */
  keys: 'kept',
  /** Logged-in accounts of chats. */
  wechat: 'kept',
  /** Trades of the sandbox. */
  sandbox: 'kept',
  /** Photos and what was made of them; verified by their names. */
  blobs: 'photos',
  /** Copied by the database's own means. */
  'studio.db': 'database',
  'studio.db-wal': 'database',
  'studio.db-shm': 'database',
  /** Can be downloaded again. */
  models: 'left',
  /** Measured again. */
  'cards.json': 'left',
  /** Half-done work and copies. */
  uploads: 'left',
  'fleet-uploads': 'left',
  tmp: 'left',
  'blob-cache': 'left',
} as const;

/** Folders that are copied as they are. */
export const keptFolders = Object.entries(dataFolder)
  .filter(([, what]) => what === 'kept')
  .map(([name]) => name);

/** Names inside the archive. */
export const entryNames = {
  manifest: 'huancai-backup.json',
  sqlite: 'database/studio.db',
  postgres: 'database/studio.dump',
  settings: 'settings.yaml',
  /** Keys and sizes, one a line, of photos that lie in a bucket or were left out. */
  photoList: 'photos.txt',
} as const;

/** First entry of an archive: what it is. */
export interface Manifest {
  readonly format: 1;
  /** Of the program that made it. */
  readonly version: string;
  readonly createdAt: string;
  readonly database: 'sqlite' | 'postgres';
  readonly databaseSha256: string;
  readonly photos: 'included' | 'listed';
}
