export * from './base.js';
export * from './photo.js';
