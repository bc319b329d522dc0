/** A model that could stand for a checkpoint. */
export interface KnownModel {
  readonly id: string;
  readonly installed: boolean;
  /** Name of the file that its weights were published in. */
  readonly entry?: { readonly file: string };
}

/** The model that stands for a graph's checkpoint. */
export interface CheckpointChoice {
  readonly model: string;
  /** The graph asked for something else than what will run. */
  readonly substituted: boolean;
}

/**
 * The model for a checkpoint's name in a graph: the installed one of that id or published under
 * that name, else an installed one whose id begins so (`ddcolor_artistic.pth` ->
 * `ddcolor-artistic-t8rin`: another export of the same weights), else the default.
 */
export function chooseCheckpoint(
  checkpoint: string | undefined,
  models: readonly KnownModel[],
  fallback: string,
): CheckpointChoice {
  if (checkpoint === undefined) return { model: fallback, substituted: false };
  const wanted = normal(checkpoint);
  const installed = models.filter((model) => model.installed);
  const same = installed.find(({ id, entry }) =>
    [id, entry?.file].some((name) => name !== undefined && normal(name) === wanted),
  );
  const like = same ?? installed.find(({ id }) => normal(id).startsWith(`${wanted}-`));
  return like ? { model: like.id, substituted: false } : { model: fallback, substituted: true };
}

/** `models/DDColor_ModelScope.pth` -> `ddcolor-modelscope`. */
function normal(name: string): string {
  const base = name.split(/[\\/]/).at(-1)!;
  return base
    .toLowerCase()
    .replace(/\.(pth?|onnx|safetensors|bin|ckpt)$/, '')
    .replace(/[_.\s]+/g, '-');
}
