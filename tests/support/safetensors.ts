import { writeFileSync } from 'node:fs';

interface SafeTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Write a `.safetensors` file; `change` may spoil the header. */
export function writeSafetensors(
  file: string,
  tensors: readonly SafeTensor[],
  change: (header: Record<string, unknown>) => unknown = (header) => header,
): void {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const { name, dtype, shape, data } of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + data.length] };
    at += data.length;
  }
  const json = Buffer.from(JSON.stringify(change(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(file, Buffer.concat([length, json, ...tensors.map(({ data }) => data)]));
}
