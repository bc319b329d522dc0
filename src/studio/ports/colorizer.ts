import type { ChromaPlane } from '../chroma-plane.js';

/** How a photo of any shape meets the model's input. */
export type ModelFit = 'stretch' | 'letterbox' | 'aspect';

/** How the small a*b* plane becomes full resolution. `reference` is upstream DDColor's nearest. */
export type ChromaUpsampling = 'guided' | 'bilinear' | 'reference';

/** How colours are predicted. */
export interface PredictOptions {
  /** Id in models/catalog.json, or the path of an .onnx file. */
  readonly model: string;
  /** Model input, px, per side; rounded to the nearest multiple of 32. Default: the model's own. */
  readonly sizePx?: number;
  /** Default `stretch`, as DDColor does. `aspect` keeps the shape, long side = sizePx. */
  readonly fit?: ModelFit;
}

/** Something the customer or operator should know about a result; `key` is in config/messages. */
export interface ResultNote {
  readonly key: string;
  readonly params?: Readonly<Record<string, string | number>>;
}

/** Predicted colours, and how they came about. */
export interface Prediction {
  readonly chroma: ChromaPlane;
  readonly model: string;
  readonly inputWidthPx: number;
  readonly inputHeightPx: number;
  /** Execution provider that ran it: cpu, cuda, webgpu, dml. */
  readonly provider: string;
  /** The network alone. */
  readonly seconds: number;
  /** Energy of the network's run as its card's driver tells it; absent: not measured. */
  readonly joules?: number;
  /** Name of the card; absent on a CPU. */
  readonly card?: string;
  /** Its number, the same over restarts. */
  readonly cardId?: string;
  /** Name of the process on another box that made it; absent: this machine. */
  readonly worker?: string;
  /** Mean chroma, sqrt(a² + b²). Near zero means a grey answer, which is reported in notes. */
  readonly meanChroma: number;
  /** Size rounded, stepped down after out of memory, moved to the CPU, answer nearly grey... */
  readonly notes: readonly ResultNote[];
}

/** Finishing; every field is off by default. */
export interface Finishing {
  /** Chroma multiplier, 0 (grey) .. 1.5. Default 1. */
  readonly strength?: number;
  /** -1 (cooler) .. 1 (warmer). Default 0. */
  readonly warmth?: number;
  /** Removes a colour cast: 0 .. 1, share of the mean a*b* of near-neutral pixels taken out. */
  readonly whiteBalance?: number;
  /** Lightness noise reduction, 0 .. 1. */
  readonly denoise?: number;
  /** Lightness sharpening, 0 .. 2. */
  readonly sharpen?: number;
  /** Local contrast of the lightness (CLAHE), 0 .. 1. */
  readonly contrast?: number;
}

/** A format that is written. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff';

/** How a picture says that it was coloured by a machine. */
export interface Label {
  /** Visible corner text, e.g. `AI 合成`; height >= 5 % of the short side. Absent: none. */
  readonly text?: string;
  /** Values of the XMP property TC260:AIGC (GB 45438-2025); always written. */
  readonly producer: string;
  readonly produceId: string;
}

/** How photo and colours become a file. */
export interface RenderOptions extends Finishing {
  readonly upsampling?: ChromaUpsampling;
  /** Default: the input's own format where it can hold the result, else JPEG. */
  readonly format?: ImageFormat;
  /** 1..100 for lossy formats. Default 92. */
  readonly quality?: number;
  /** Scale down so that the long edge is at most this, px. Absent: full resolution. */
  readonly longEdgePx?: number;
  /** Diagonal repeated text over the whole picture that survives a crop (free previews). */
  readonly watermark?: string;
  /** `comparison`: before | after in one picture with a slim divider. Default `colour`. */
  readonly layout?: 'colour' | 'comparison';
  readonly label: Label;
}

/** A file that was written. */
export interface Rendition {
  readonly file: string;
  readonly bytes: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly format: ImageFormat;
  readonly bitDepth: 8 | 16;
  readonly notes: readonly ResultNote[];
}

/** What a damaged photo lacks. */
export interface PhotoDamage {
  /** Rows that are missing or wrong, 0..99 per cent; 0: only the end mark or the last details. */
  readonly missingPercent: number;
  /** All rows are there, without their last details. */
  readonly coarse: boolean;
}

/** What a photo's header says. */
export interface PhotoInfo {
  /** Upright size, px (orientation applied). */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly format: string;
  readonly bitDepth: 8 | 16;
  readonly channels: number;
  readonly pages: number;
  /** dots per inch, if the file says. */
  readonly densityDpi?: number;
  /** The same from row to row: scans of films and faxes have two. */
  readonly densityDownDpi?: number;
  /** The file is damaged and is coloured as far as it goes; absent: nothing shows. */
  readonly damage?: PhotoDamage;
  readonly notes: readonly ResultNote[];
}

/** How long work is stopped and followed. */
export interface RunContext {
  /** Abort -> rejects with `Cancelled`, half-written files removed. */
  readonly signal?: AbortSignal;
  /** Share done of this call, 0..1. */
  readonly onProgress?: (share: number) => void;
}

/**
 * Colours photographs. Files in, files out: a 100 MP scan never passes through a message or a
 * heap. Output files appear under their final name only when complete.
 */
export interface Colorizer {
  /** @throws {PhotoUnreadable | PhotoTooLarge | PhotoTooSmall | PhotoFormatUnsupported} */
  inspect(file: string): Promise<PhotoInfo>;
  /** One inference. @throws {ModelMissing | ModelUnfit | InferenceFailed} and what inspect throws */
  predict(file: string, options: PredictOptions, context?: RunContext): Promise<Prediction>;
  /**
   * No inference: combine the photo's own lightness with a plane. Writes `output`.
   * @param chroma may be on its way: the photo is decoded while the network runs. Where it fails,
   * so does this, with the same error.
   */
  render(
    file: string,
    chroma: ChromaPlane | Promise<ChromaPlane>,
    output: string,
    options: RenderOptions,
    context?: RunContext,
  ): Promise<Rendition>;
  close(): Promise<void>;
}
