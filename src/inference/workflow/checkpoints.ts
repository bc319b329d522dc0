/** A model that could stand for a checkpoint. */
export interface KnownModel {
  readonly id: string;
  readonly installed: boolean;
}

export interface CheckpointChoice {
  readonly model: string;
  /** The graph asked for something else than what will run. */
  readonly substituted: boolean;
}

/**
 * The model for a checkpoint's name in a graph: `ddcolor_modelscope.pth` means any installed model
 * whose id speaks of the same weights (`ddcolor-modelscope`); else the default runs instead.
 */
export function chooseCheckpoint(
  checkpoint: string | undefined,
  models: readonly KnownModel[],
  fallback: string,
): CheckpointChoice {
  if (checkpoint === undefined) return { model: fallback, substituted: false };
  const wanted = normal(checkpoint);
  const installed = models.filter((model) => model.installed);
  const same = installed.find((model) => normal(model.id) === wanted);
  const like = same ?? installed.find((model) => normal(model.id).startsWith(`${wanted}-`));
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
