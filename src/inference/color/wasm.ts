/** The part of WebAssembly used here; neither es2023 nor Node 20's types declare it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Compiled code. */
export type WasmModule = object;

interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Memory: new (size: { readonly initial: number }) => WasmMemory;
  readonly Instance: new (
    module: WasmModule,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: unknown };
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
