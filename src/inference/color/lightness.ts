import { fFromLight, LUMINANCE, linearFromSrgb } from './lab.js';

/** Interleaved samples as decoded: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. */
export type Samples = Uint8Array | Uint16Array;

const STEPS = 65_535;

/** Turns rows of pixels into lightness f = (L* + 16) / 116. */
export interface LightnessReader {
  /** `width` pixels of `samples` from sample `offset` on, into `f` from 0 on. */
  read(samples: Samples, offset: number, channels: number, width: number, f: Float64Array): void;
}

const readers = new Map<8 | 16, LightnessReader>();

/** Its tables take longer to build than a small picture to read: they are built once per depth. */
export function lightnessReader(bitDepth: 8 | 16): LightnessReader {
  const reader = readers.get(bitDepth) ?? createLightnessReader(bitDepth);
  readers.set(bitDepth, reader);
  return reader;
}

function createLightnessReader(bitDepth: 8 | 16): LightnessReader {
  const codes = 2 ** bitDepth;
  const light = Float64Array.from({ length: codes }, (_, i) => linearFromSrgb(i / (codes - 1)));
  const grey = light.map(fFromLight);
  const [red, green, blue] = LUMINANCE.map((share) => light.map((v) => v * share * STEPS)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const root = Float64Array.from({ length: STEPS + 2 }, (_, i) => fFromLight(i / STEPS));

  return {
    read(samples, offset, channels, width, f) {
      let at = offset;
      if (channels < 3) {
        for (let x = 0; x < width; x++, at += channels) f[x] = grey[samples[at]!]!;
        return;
      }
      for (let x = 0; x < width; x++, at += channels) {
        const y = red[samples[at]!]! + green[samples[at + 1]!]! + blue[samples[at + 2]!]!;
        // Between table entries f is as good as straight: the error stays below 1e-6.
        const i = y | 0;
        const low = root[i]!;
        f[x] = low + (root[i + 1]! - low) * (y - i);
      }
    },
  };
}
