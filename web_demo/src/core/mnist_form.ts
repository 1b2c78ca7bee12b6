/** Recognises a picture that is in MNIST's form already: it passes unchanged. */

import type { Grey } from "./grey.ts";
import { type Ink, inkOf } from "./ink.ts";
import { BOX, boxOf, SIDE } from "./picture.ts";

const MNIST_SIDE = 28;
/** Grey levels: up to here MNIST's paper is empty. */
const BLACK = 40;

/** Returns `grey`, dark or bright ink, as the net's picture if it is in MNIST's form, else null. */
export function mnistPicture(grey: Grey): Uint8Array | null {
  const { width, height, values } = grey;
  if (width !== height || (width !== MNIST_SIDE && width !== SIDE)) return null;
  return (
    formed(values, width) ??
    formed(
      values.map((value) => 255 - value),
      width,
    )
  );
}

function formed(ink: Uint8Array, width: number): Uint8Array | null {
  const strong = inkOf(
    width,
    width,
    ink.map((value) => (value > BLACK ? value : 0)),
  );
  const box = boxOf(strong);
  const edge = (width - BOX) / 2 - 1;
  if (!box || Math.max(...ink) < 128 || Math.max(box.width, box.height) < BOX - 3) return null;
  const inside = (start: number, length: number) => start >= edge && start + length <= width - edge;
  if (!inside(box.left, box.width) || !inside(box.top, box.height)) return null;
  const [x, y] = centreOf(strong);
  if (Math.abs(x - width / 2) > 1 || Math.abs(y - width / 2) > 1) return null;
  const picture = new Uint8Array(SIDE * SIDE);
  const margin = (SIDE - width) / 2;
  for (let row = 0; row < width; row++) {
    picture.set(ink.subarray(row * width, (row + 1) * width), (row + margin) * SIDE + margin);
  }
  return picture;
}

function centreOf(ink: Ink): [number, number] {
  let [sum, x, y] = [0, 0, 0];
  ink.values.forEach((value, at) => {
    sum += value;
    x += value * (at % ink.width);
    y += value * Math.floor(at / ink.width);
  });
  return [x / sum, y / sum];
}
