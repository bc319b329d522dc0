export * from './base.js';
export * from './model.js';
export * from './photo.js';
export * from './storage.js';
