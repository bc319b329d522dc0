import { type WasmMemory, wasm } from './wasm.js';

const PAGE_BYTES = 65_536;
/** The module's own stack and constants lie below. */
const RESERVED_BYTES = 65_536;

/** Numbers that lie in one block, to be copied into the kernel's memory. */
export type Table = ArrayLike<number> & ArrayBufferView;

/** Places tables and buffers in a module's memory one after another, aligned to vectors. */
export interface Layout {
  /** Room for `bytes`. @returns its offset */
  reserve(bytes: number): number;
  /** Room for a table that `write` copies in. @returns its offset */
  take(table: Table): number;
  /** Grows the memory to what was asked for, copies the tables. Views made before are dead. */
  write(): void;
  /** Offset of what comes next. */
  end(): number;
}

/** @param from first free byte: below lie the tables of earlier layouts. */
export function createLayout(memory: WasmMemory, from = RESERVED_BYTES): Layout {
  let end = from;
  const tables: { readonly at: number; readonly table: Table }[] = [];
  const reserve = (bytes: number): number => {
    const at = end;
    end = at + ((bytes + 15) & ~15);
    return at;
  };
  return {
    reserve,
    take(table) {
      const at = reserve(table.byteLength);
      tables.push({ at, table });
      return at;
    },
    write() {
      const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES);
      if (missing > 0) memory.grow(missing);
      for (const { at, table } of tables.splice(0)) {
        const bytes = new Uint8Array(table.buffer, table.byteOffset, table.byteLength);
        new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
      }
    },
    end: () => end,
  };
}

/** Memory of one kernel, 128 KiB at first; it grows with what is put into it. */
export const createKernelMemory = (): WasmMemory => new wasm.Memory({ initial: 2 });
