import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A box with cards; `cards` hold what each prints, by nvidia-smi's own field names. */
export interface Box {
  driver: string;
  /** CUDA version in the header; old drivers have none. */
  cuda?: string | null;
  /** Fields this driver does not know. */
  unknown: string[];
  cards: Record<string, string>[];
  slowdown?: string[];
  trouble?: 'hangs' | 'driver' | 'noCards' | 'mismatch';
}

export interface EmulatedCards {
  /** Path for gpu.nvidiaSmi. */
  readonly nvidiaSmi: string;
  /** Change what it answers from now on. A card with `lost` has fallen off the bus. */
  set(change: (box: Box) => void): void;
  /** The common change. @param card its place. */
  heat(temperatureC: number, card?: number): void;
}

/** Settings of a command that works on such a box and looks at it often. */
export const watching = ({ nvidiaSmi }: Pick<EmulatedCards, 'nvidiaSmi'>) => ({
  HUANCAI_GPU_WATCH: 'on',
  HUANCAI_GPU_NVIDIA_SMI: nvidiaSmi,
  HUANCAI_GPU_POLL_MS: '200',
  HUANCAI_GPU_HOLD_MS: '500',
});

const root = path.resolve(__dirname, '..', '..');

/**
 * An executable `nvidia-smi` in `folder` that answers as on such a box.
 * @param fixture name in tests/fixtures/gpu, such as `550-gtx-1650`.
 */
export function emulateCards(folder: string, fixture: string): EmulatedCards {
  const from = path.join(root, 'fixtures', 'gpu', `${fixture}.json`);
  const box = JSON.parse(readFileSync(from, 'utf8')) as Box;
  const file = path.join(folder, 'box.tsv');
  const nvidiaSmi = path.join(folder, 'nvidia-smi');
  const script = path.join(root, 'emulators', 'cards', 'nvidia-smi.sh');
  writeFileSync(nvidiaSmi, `#!/bin/sh\nexec /bin/sh '${script}' '${file}' "$@"\n`, { mode: 0o755 });
  const set: EmulatedCards['set'] = (change) => {
    change(box);
    // A reader in between must never see half a file.
    writeFileSync(`${file}.new`, linesOf(box));
    renameSync(`${file}.new`, file);
  };
  set(() => {});
  return {
    nvidiaSmi,
    set,
    heat: (temperatureC, card = 0) =>
      set(({ cards }) => {
        cards[card]!['temperature.gpu'] = `${temperatureC}`;
      }),
  };
}

function linesOf({ driver, cuda, unknown, cards, slowdown, trouble }: Box): string {
  const header = `| NVIDIA-SMI ${driver}   Driver Version: ${driver}${cuda ? `   CUDA Version: ${cuda}` : ''} |`;
  const lines = [
    ['header', header],
    ...unknown.map((field) => ['unknown', field]),
    ...(slowdown ?? []).map((words) => ['slowdown', words]),
    ...(trouble ? [['trouble', trouble]] : []),
    ...cards.flatMap((card, i) =>
      Object.entries(card).map(([field, words]) => ['card', `${i + 1}`, field, words]),
    ),
  ];
  return lines.map((cells) => `${cells.join('\t')}\n`).join('');
}
