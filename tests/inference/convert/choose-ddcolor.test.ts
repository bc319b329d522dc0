import { chooseDdcolor } from '../../../src/inference/convert/index.js';

const GiB = 2 ** 30;

test.each([
  ['8 GB box without a card', 8 * GiB, undefined, 'ddcolor-modelscope'],
  ['4 GB box without a card', 4 * GiB, undefined, 'ddcolor-tiny'],
  ['6 GB card (P106-100)', 8 * GiB, 6 * GiB, 'ddcolor-modelscope'],
  ['8 GB card in a 4 GB mining rig', 4 * GiB, 8 * GiB, 'ddcolor-modelscope'],
  ['3 GB card (P104 cut down, GTX 1060)', 32 * GiB, 3 * GiB, 'ddcolor-tiny'],
  ['4 GB card', 16 * GiB, 4 * GiB, 'ddcolor-tiny'],
  ['2 GB box with a large card', 2 * GiB, 11 * GiB, 'ddcolor-tiny'],
])('%s', (_, totalMemoryBytes, cardMemoryBytes, expected) => {
  expect(chooseDdcolor({ totalMemoryBytes, cardMemoryBytes })).toBe(expected);
});
