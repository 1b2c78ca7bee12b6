/** What a reader needs of a runtime; src/litert has the one for browsers, the tests have others. */

import type { Values } from "./tensors.ts";

/** What may run a model: WebAssembly on the processor, or WebGPU. */
export type Backend = "wasm" | "webgpu";

/** An open model. `ran` is what really runs it. */
export interface Model {
  readonly ran: Backend;
  /** Returns the outputs by name, as the file stores them, for an input of its size. */
  run(input: Values): Promise<ReadonlyMap<string, Values>>;
  /** Closes the model once it has run what was asked before. */
  close(): void;
}

/** Opens models. */
export interface Runtime {
  /** Opens the file `bytes`; `shape` is that of its input. Throws Error with the reason if it does not open. */
  open(bytes: Uint8Array, shape: readonly number[], backend: Backend): Promise<Model>;
}
