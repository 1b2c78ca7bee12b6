/** LiteRT.js behind the core's Runtime. */

import { type CompiledModel, getWebGpuDevice, loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import type { Backend, Model, Runtime } from "../core/runtime.ts";
import type { Values } from "../core/tensors.ts";

/** The loader's and the WebAssembly module's content. */
export interface RuntimeFiles {
  readonly loader: Uint8Array;
  readonly wasm: Uint8Array;
}

/**
 * Loads LiteRT.js from its files' content, wherever that came from: a page from file:// can fetch nothing.
 *
 * The build without relaxed SIMD is the one to give: it runs in more browsers, and gives the same scores in all.
 */
export async function loadRuntime(files: RuntimeFiles): Promise<Runtime> {
  // LiteRT.js's loader reads this: with the module at hand it fetches no .wasm file.
  Object.assign(window, { Module: { wasmBinary: files.wasm } });
  const script = URL.createObjectURL(new Blob([copy(files.loader)], { type: "text/javascript" }));
  try {
    await loadLiteRt(`${script}#loader.js`);
  } finally {
    URL.revokeObjectURL(script);
  }
  return { open };
}

/** Returns whether LiteRT.js found a graphics processor. */
export function hasGraphics(): boolean {
  return Boolean(getWebGpuDevice());
}

/** Returns whether the browser has the SIMD instructions that LiteRT.js needs. */
export function hasSimd(): boolean {
  // A module with one function: i32.const 0, i8x16.splat, drop.
  const module = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11,
  ];
  return typeof WebAssembly === "object" && WebAssembly.validate(Uint8Array.from(module));
}

async function open(bytes: Uint8Array, shape: readonly number[], backend: Backend): Promise<Model> {
  const model = await loadAndCompile(bytes, { accelerator: backend });
  const ran = model.options.accelerator === "webgpu" ? "webgpu" : "wasm";
  // Two runs at the same time would share the model's buffers.
  let last: Promise<unknown> = Promise.resolve();
  return {
    ran,
    run: (input) => {
      const next = last.then(() => run(model, input, shape));
      last = next.catch(() => undefined);
      return next;
    },
    // Not under a run: somebody may choose another model at any time.
    close: () => void last.then(() => model.delete()),
  };
}

async function run(
  model: CompiledModel,
  input: Values,
  shape: readonly number[],
): Promise<ReadonlyMap<string, Values>> {
  const tensor = Tensor.fromTypedArray(input, [...shape]);
  try {
    const outputs = await model.run(tensor);
    const names = model.getOutputDetails().map((details) => details.name);
    const values = await Promise.all(outputs.map(fetched));
    return new Map(names.map((name, i) => [name, values[i]]));
  } finally {
    tensor.delete();
  }
}

/** Returns an output's values, and deletes it. */
async function fetched(output: Tensor): Promise<Values> {
  try {
    const values = await output.data();
    if (values instanceof Float32Array) return Float32Array.from(values);
    if (values instanceof Uint8Array) return Uint8Array.from(values);
    throw new Error(`expected an output of float32 or uint8, got ${values.constructor.name}`);
  } finally {
    output.delete();
  }
}

/** Returns the bytes in a buffer of their own, which is what a Blob takes. */
function copy(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
