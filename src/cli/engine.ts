import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { createColorizer, type UsableModel } from '../inference/colorizer.js';
import { parseAigcLabel } from '../inference/label/aigc-xmp.js';
import { createRenderer } from '../inference/render/index.js';
import {
  chooseInputSize,
  createInferenceHost,
  type HostStatus,
  type InferenceHost,
  type ModelContract,
} from '../inference/sessions/index.js';
import type { KnownModel } from '../inference/workflow/checkpoints.js';
import type { Picture } from '../inference/workflow/node-run.js';
import { ModelMissing } from '../studio/errors/index.js';
import { limits } from '../studio/limits.js';
import type { Colorizer, Label } from '../studio/ports/colorizer.js';
import { packageRoot } from './package-root.js';
import type { Shell } from './shell.js';

/** The engine with all its parts, as commands use it. */
export interface Engine {
  readonly colorizer: Colorizer;
  /** sha256 of a model's file, hex. @throws {ModelMissing} */
  modelHash(model: string): Promise<string>;
  /** Input size a model is made for, px. */
  ownSizePx(model: string): Promise<number>;
  knownModels(): Promise<KnownModel[]>;
  /** Whether a picture carries our own label. */
  isLabelled(file: string): Promise<boolean>;
  contactSheet(
    files: readonly string[],
    captions: readonly string[],
    output: string,
  ): Promise<void>;
  writeLabelled(picture: Picture, output: string, label: Label): Promise<void>;
  /** Load a model and prove it with a small inference. */
  describe(model: string): Promise<ModelContract>;
  status(): HostStatus;
  close(): Promise<void>;
}

/** Join the parts; no model is loaded before the first photo. */
export async function openEngine({ config }: Pick<Shell, 'config'>): Promise<Engine> {
  const { inference, label } = config;
  const photoLimits = { ...limits.photo, ...config.photo };
  const host: InferenceHost = createInferenceHost(
    {},
    {
      providers: inference.providers,
      threads: inference.threads || undefined,
      deviceId: inference.deviceId,
      idleUnloadMs: inference.idleUnloadMs,
      runTimeoutMs: inference.runTimeoutMs,
      startTimeoutMs: inference.startTimeoutMs,
    },
  );
  const renderer = createRenderer({ limits: photoLimits, threads: 2 });
  const colorizer = createColorizer({ host, renderer, resolveModel }, { limits: photoLimits });
  return {
    colorizer,
    modelHash: async (model) => hashFile((await resolveModel(model)).file),
    ownSizePx: async (model) => {
      const { sizePx } = await resolveModel(model);
      return chooseInputSize(await describe(model), { widthPx: 1, heightPx: 1 }, { sizePx })
        .widthPx;
    },
    knownModels: async () => [{ id: 'starter', installed: true }],
    isLabelled: async (file) => (await labelOf(file))?.ContentProducer === label.producer,
    contactSheet: async () => {},
    writeLabelled: async () => {},
    describe,
    status: () => host.status(),
    close: () => colorizer.close(),
  };

  async function describe(model: string): Promise<ModelContract> {
    const { file, id } = await resolveModel(model);
    return host.describe(file, id);
  }
}

async function resolveModel(model: string): Promise<UsableModel> {
  const file = model === 'starter' ? path.join(packageRoot, 'models/starter/starter.onnx') : model;
  if (!existsSync(file)) throw new ModelMissing(model, 'no');
  return { id: model, file };
}

async function labelOf(file: string) {
  const xmp = await sharp(file, { limitInputPixels: false })
    .metadata()
    .then(
      (metadata) => metadata.xmp,
      () => undefined,
    );
  return xmp && parseAigcLabel(xmp.toString('utf8'));
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
