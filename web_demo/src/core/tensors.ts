/** Between pixels and what a file takes, and between what it stores and probabilities. */

import type { TensorEnd } from "./golden.ts";

/** The values of a tensor; files of int8 take and give uint8, as LiteRT.js has no int8. */
export type Values = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Returns `pixels`, 0 to 255, as the input `end` of a file stores them; halves are rounded to even, as in NumPy. */
export function stored(pixels: ArrayLike<number>, end: TensorEnd): Values {
  if (end.type === "float32") return Float32Array.from(pixels);
  const steps = Array.from(pixels, (pixel) => {
    const step = halfToEven(pixel / (end.scale ?? 1)) + (end.zero_point ?? 0);
    return Math.min(Math.max(step, 0), 255);
  });
  return Uint8Array.from(steps);
}

function halfToEven(value: number): number {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

/** Returns the real values of what the output `end` of a file stores. */
export function real(values: ArrayLike<number>, end: TensorEnd): number[] {
  const [scale, zero] = [end.scale ?? 1, end.zero_point ?? 0];
  return Array.from(values, (value) => scale * (value - zero));
}

/** Returns the middle `size` x `size` pixels of a picture of `side` x `side`, row by row. */
export function middle(picture: Uint8Array, side: number, size: number): Uint8Array<ArrayBuffer> {
  const margin = (side - size) / 2;
  const found = new Uint8Array(size * size);
  for (let row = 0; row < size; row++) {
    const start = (row + margin) * side + margin;
    found.set(picture.subarray(start, start + size), row * size);
  }
  return found;
}
