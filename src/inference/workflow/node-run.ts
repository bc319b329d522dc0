import sharp, { type Sharp } from 'sharp';
import type {
  Colorizer,
  RenderOptions,
  ResultNote,
  RunContext,
} from '../../studio/ports/colorizer.js';

/** The first output of another node: `["4", 0]` in the file. */
export interface Link {
  readonly node: string;
}

/** One node of a graph as its work sees it. */
export interface GraphNode {
  readonly id: string;
  /** As the user sees it in ComfyUI, for messages: `3 (ImageScale)`. */
  readonly name: string;
  readonly links: Readonly<Record<string, Link>>;
  readonly values: Readonly<Record<string, string | number>>;
}

/** An image between two nodes: a file, so that a 100 MP scan passes from node to node. */
export interface Picture {
  readonly file: string;
  /** Upright, px. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bitDepth: 8 | 16;
}

/** What a node may use while a workflow runs. */
export interface NodeRun {
  readonly colorizer: Colorizer;
  readonly context: RunContext;
  readonly label: RenderOptions['label'];
  /** The image connected to an input. */
  picture(node: GraphNode, input: string): Picture;
  load(node: GraphNode): Promise<Picture>;
  save(node: GraphNode): Promise<undefined>;
  /** Model for a checkpoint's name; undefined: the default one. */
  model(checkpoint: string | undefined): string;
  /** A new file name, removed when the run ends. */
  temporary(extension: string): string;
  note(note: ResultNote): void;
}

/** Nodes that give no image answer undefined. */
export type NodeWork = (node: GraphNode, run: NodeRun) => Promise<Picture | undefined>;

/**
 * Upright sRGB without alpha, whatever the file holds: what ComfyUI's LoadImage gives. 16 bits stay
 * 16, unless something else is wanted.
 */
export function openPicture({ file, bitDepth }: Picture, wanted: 8 | 16 = bitDepth): Sharp {
  return sharp(file, { limitInputPixels: false, failOn: 'error' })
    .autoOrient()
    .flatten({ background: 'white' })
    .toColourspace(wanted === 16 ? 'rgb16' : 'srgb');
}

/**
 * Write what a pipeline gives; uncompressed, for it is read again at once. PNG, because libvips
 * would write the float result of a convolution into a TIFF as it is.
 */
export async function writePicture(
  run: Pick<NodeRun, 'temporary'>,
  pipeline: Sharp,
  bitDepth: 8 | 16,
): Promise<Picture> {
  const file = run.temporary('.png');
  const { width, height } = await pipeline.png({ compressionLevel: 0 }).toFile(file);
  return { file, widthPx: width, heightPx: height, bitDepth };
}
