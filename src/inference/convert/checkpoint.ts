import { CheckpointUnsupported } from '../../studio/errors/index.js';
import { openByteSource } from './byte-source.js';
import { readSafetensors } from './safetensors.js';
import { readTorchArchive } from './torch-archive.js';
import type { Weight } from './weight.js';

/** Named weights of a network; the file stays open until `close`. */
export interface Checkpoint {
  /** File name without folders. */
  readonly name: string;
  /** Size of the file in bytes. */
  readonly size: number;
  readonly weights: ReadonlyMap<string, Weight>;
  close(): void;
}

/**
 * Open a PyTorch checkpoint (`.pth`, `.pt`: ZIP format of PyTorch 1.6 and later) or a
 * `.safetensors` file. The kind is read from the bytes, not from the name. Numbers are read from
 * the file when a weight is asked for; nothing in the file is ever executed.
 * @throws {CheckpointDamaged} cut short or contradictory.
 * @throws {CheckpointUnsafe} a pickle that wants to run something.
 * @throws {CheckpointUnsupported} another kind of file.
 */
export function openCheckpoint(file: string): Checkpoint {
  const source = openByteSource(file);
  try {
    const head = source.read(0, Math.min(16, source.size));
    const weights = head.subarray(0, 2).equals(Buffer.from('PK'))
      ? readTorchArchive(source)
      : isSafetensors(head)
        ? readSafetensors(source)
        : refuse(source.name, head);
    return { name: source.name, size: source.size, weights, close: source.close };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Eight bytes of header length, then JSON. */
function isSafetensors(head: Buffer): boolean {
  return head.length > 8 && head[8] === 0x7b;
}

function refuse(name: string, head: Buffer): never {
  if (head[0] === 0x80 || head.subarray(0, 7).toString('latin1') === 'ustar')
    throw new CheckpointUnsupported(
      name,
      'the PyTorch format from before version 1.6',
      'save it again: torch.save(torch.load(file, weights_only=True), file)',
    );
  throw new CheckpointUnsupported(
    name,
    'neither a PyTorch checkpoint (.pth) nor .safetensors',
    'download the file again: an error page saved as a model looks like this',
  );
}
