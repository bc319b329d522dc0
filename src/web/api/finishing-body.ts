/** What a customer may ask for, for one photo or for all to come. */
export const finishingBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    strength: {
      type: 'number',
      minimum: 0,
      maximum: 1.5,
      description: 'Chroma, 1 is as predicted',
    },
    warmth: { type: 'number', minimum: -1, maximum: 1, description: '-1 cooler, 1 warmer' },
    whiteBalance: { type: 'number', minimum: 0, maximum: 1 },
    denoise: { type: 'number', minimum: 0, maximum: 1 },
    sharpen: { type: 'number', minimum: 0, maximum: 2 },
    contrast: { type: 'number', minimum: 0, maximum: 1 },
  },
} as const;
