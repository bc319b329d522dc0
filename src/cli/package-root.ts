import path from 'node:path';

/** Folder of the package: config/, models/ and assets/ lie there, in a checkout and when installed. */
export const packageRoot = path.resolve(__dirname, '..', '..');
