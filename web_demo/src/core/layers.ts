/** What each layer of a net gives for a picture, from the file that `lenet-edge convert --target web` writes. */

import { isWithin } from "./golden.ts";
import { SIDE } from "./picture.ts";
import type { Model, Runtime } from "./runtime.ts";
import { middle, type Values } from "./tensors.ts";

/** The outputs of the file, in its order. */
export const LAYERS = ["C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT", "scores"] as const;
export type Layer = (typeof LAYERS)[number];

/** The outputs of each layer: maps lie one behind the other at each place. */
export type Activity = Readonly<Record<Layer, Float32Array<ArrayBuffer>>>;

/** What a runtime gives for a picture, within which limits: the .json that `convert` writes beside the file. */
export interface Sample {
  readonly label: number;
  readonly input: { readonly size: number; readonly pixels: readonly number[] };
  readonly outputs: Readonly<
    Record<Layer, { readonly low: readonly number[]; readonly high: readonly number[] }>
  >;
}

/** The open file. */
export class LayersReader {
  private constructor(
    private readonly model: Model,
    private readonly size: number,
  ) {}

  /** Opens the file and reads the sample; throws Error if it cannot, or a layer is outside its limits. */
  static async open(runtime: Runtime, sample: Sample, bytes: Uint8Array): Promise<LayersReader> {
    const { size, pixels } = sample.input;
    const model = await runtime.open(bytes, [1, size, size, 1], "wasm");
    const outputs = await model.run(Float32Array.from(pixels));
    const outside = LAYERS.filter((layer) => {
      const { low, high } = sample.outputs[layer];
      return !low.every((least, i) => isWithin(outputs.get(layer)?.[i], least, high[i]));
    });
    if (!outside.length) return new LayersReader(model, size);
    model.close();
    throw new Error(`expected each layer within its limits, got others in ${outside.join(", ")}`);
  }

  /** Returns each layer's output for a picture of 32 x 32 pixels. */
  async read(picture: Uint8Array): Promise<Activity> {
    const outputs = await this.model.run(Float32Array.from(middle(picture, SIDE, this.size)));
    const found = (layer: Layer) => floats(outputs.get(layer), layer);
    return {
      C1: found("C1"),
      S2: found("S2"),
      C3: found("C3"),
      S4: found("S4"),
      C5: found("C5"),
      F6: found("F6"),
      OUTPUT: found("OUTPUT"),
      scores: found("scores"),
    };
  }

  close(): void {
    this.model.close();
  }
}

function floats(values: Values | undefined, layer: Layer): Float32Array<ArrayBuffer> {
  if (values instanceof Float32Array) return values;
  throw new Error(`expected the output of ${layer} in float32, got ${values?.constructor.name ?? "none"}`);
}
