import { readFileSync } from 'node:fs';
import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'sha256: 64 lower-case hexadecimal digits');

const entrySchema = z.strictObject({
  /** What people type: lower case, digits, dashes. */
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  title: z.string().min(1),
  /** Name at its sources; for bundled models the path below models/. */
  file: z.string().min(1),
  /** `pytorch` is converted to ONNX when it is pulled. */
  format: z.enum(['onnx', 'pytorch']),
  /** Ships with the package. */
  bundled: z.boolean().default(false),
  bytes: z.int().positive().optional(),
  /** Of the file at its sources. Absent: recorded at the first download, checked ever after. */
  sha256: sha256.optional(),
  /** First digits, where no more is published. */
  sha256Prefix: z
    .string()
    .regex(/^[0-9a-f]{8,63}$/)
    .optional(),
  /** SPDX id. */
  licence: z.string().min(1),
  homepage: z.string().min(1),
  input: z.strictObject({
    dtype: z.enum(['float32', 'float16']),
    /** Input size it is made for, px. */
    sizePx: z.int().min(32).max(2048),
    /** Any multiple of 32; absent: not known before it is here. */
    dynamic: z.boolean().optional(),
    fit: z.enum(['stretch', 'letterbox', 'aspect']).optional(),
  }),
  /** Tried in this order, after the operator's own mirrors. */
  sources: z.array(z.url()),
});

const catalogSchema = z.strictObject({
  version: z.literal(1),
  models: z.array(entrySchema).superRefine((models, context) => {
    const ids = models.map((model) => model.id);
    for (const id of ids.filter((value, at) => ids.indexOf(value) !== at))
      context.addIssue({ code: 'custom', message: `two models have the id ${id}` });
    for (const model of models.filter((m) => m.bundled === m.sources.length > 0))
      context.addIssue({ code: 'custom', message: `${model.id}: either bundled or has sources` });
  }),
});

/** A model that can be had. */
export type CatalogEntry = z.infer<typeof entrySchema>;

/**
 * Read models/catalog.json.
 * @throws ZodError when it is not a catalog: it ships with the package, so that is a bug.
 */
export function readCatalog(file: string): readonly CatalogEntry[] {
  return catalogSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).models;
}
