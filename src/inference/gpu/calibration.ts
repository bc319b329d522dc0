import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeAtomically } from '../codec/atomic-file.js';

const entrySchema = z.object({
  /** Of the card. */
  uuid: z.string().min(1),
  card: z.string(),
  model: z.string().min(1),
  provider: z.string(),
  /** Largest input that ran, px per side. */
  sizePx: z.int().positive(),
  /** The next larger one did not fit; absent: none larger was tried. */
  tooLargePx: z.int().positive().optional(),
  /** Of each size that ran: the network alone, s. */
  seconds: z.array(z.object({ sizePx: z.int().positive(), seconds: z.number() })),
  driverVersion: z.string().optional(),
  measuredAt: z.string(),
});

/** What a card could do with a model when it was measured. */
export type Calibration = z.infer<typeof entrySchema>;

const fileSchema = z.object({ version: z.literal(1), entries: z.array(z.unknown()) });

/** Measured cards, in one file of the data folder. */
export interface CalibrationStore {
  /** Undefined as well for a file that cannot be read: measuring again mends it. */
  find(uuid: string, model: string): Calibration | undefined;
  list(): readonly Calibration[];
  /** Replaces what was measured of this card and model. @throws {DiskUnavailable} */
  save(entry: Calibration): Promise<void>;
}

/** Measurements of cards, kept in one JSON file. @param file made with the first entry. */
export function createCalibrationStore(file: string): CalibrationStore {
  let known: readonly Calibration[] | undefined;
  const list = () => {
    known ??= readEntries(file);
    return known;
  };
  const same = (a: Pick<Calibration, 'uuid' | 'model'>, uuid: string, model: string) =>
    a.uuid === uuid && a.model === model;
  return {
    list,
    find: (uuid, model) => list().find((entry) => same(entry, uuid, model)),
    save: async (entry) => {
      const others = readEntries(file).filter((one) => !same(one, entry.uuid, entry.model));
      const entries = [...others, entry];
      const text = `${JSON.stringify({ version: 1, entries }, null, 2)}\n`;
      await writeAtomically(file, (temporary) => writeFile(temporary, text));
      known = entries;
    },
  };
}

function readEntries(file: string): Calibration[] {
  try {
    const { entries } = fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return entries.flatMap((entry) => {
      const checked = entrySchema.safeParse(entry);
      return checked.success ? [checked.data] : [];
    });
  } catch {
    return [];
  }
}
