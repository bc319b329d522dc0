export * from './base.js';
export * from './channel.js';
export * from './convert.js';
export * from './model.js';
export * from './money.js';
export * from './photo.js';
export * from './storage.js';
export * from './studio.js';
