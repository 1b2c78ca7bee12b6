/**
 * From a drawing to the 32x32 picture that the net reads, in integers only.
 *
 * The same pixels as `lenet_edge.picture.drawing.picture_of_drawing`, bit for bit: the drawing's box to 20x20 by
 * means over areas, its centre of mass to the middle of 28x28 (LeCun and others 1998, page 10), 2 pixels
 * around. golden.json has test cases. No sum comes near 2^53, so a number holds each exactly.
 */

import type { Ink } from "./ink.ts";

/** The side of the picture, in pixels. */
export const SIDE = 32;
/** The longer side of a digit in it. */
export const BOX = 20;
const MNIST_SIDE = 28;
const MARGIN = (SIDE - MNIST_SIDE) / 2;

/** The pixels of a rectangle: from `left` and `top`, `width` by `height`. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Returns the picture, 1,024 bytes row by row, or null for a drawing without ink. */
export function pictureOf(ink: Ink): Uint8Array | null {
  const box = boxOf(ink);
  if (!box) return null;
  const longer = Math.max(box.height, box.width);
  const height = target(box.height, longer);
  const width = target(box.width, longer);
  const digit = means(ink, box, height, width);
  const rows = digit.map((row) => row.reduce((sum, value) => sum + value, 0));
  const columns = digit[0].map((_, j) => digit.reduce((sum, row) => sum + row[j], 0));
  const top = place(rows);
  const left = place(columns);
  const picture = new Uint8Array(SIDE * SIDE);
  digit.forEach((row, i) => {
    picture.set(row, (top + i) * SIDE + left);
  });
  return picture;
}

/** Returns the smallest box with all the ink, or null without ink. */
export function boxOf(ink: Ink): Box | null {
  let [left, top, right, bottom] = [ink.width, ink.height, 0, 0];
  ink.values.forEach((value, at) => {
    if (value === 0) return;
    const [x, y] = [at % ink.width, Math.floor(at / ink.width)];
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
  });
  return right ? { left, top, width: right - left, height: bottom - top } : null;
}

function target(side: number, longer: number): number {
  return Math.max(1, Math.floor((2 * BOX * side + longer) / (2 * longer)));
}

/** Returns the box as `height` rows of `width` means, each over the area under its pixel. */
function means(ink: Ink, box: Box, height: number, width: number): number[][] {
  const down = overlaps(box.height, height);
  const across = overlaps(box.width, width);
  const area = box.height * box.width;
  return down.map((rows) => {
    const line = new Float64Array(box.width);
    for (const [r, weight] of rows) {
      const start = (box.top + r) * ink.width + box.left;
      for (let c = 0; c < box.width; c++) line[c] += weight * ink.values[start + c];
    }
    return across.map((columns) => {
      const sum = columns.reduce((total, [c, weight]) => total + weight * line[c], 0);
      return Math.floor((2 * sum + area) / (2 * area));
    });
  });
}

/** Returns for each of `target` pixels the source pixels under it, each with the length of their overlap. */
function overlaps(source: number, target: number): [number, number][][] {
  return Array.from({ length: target }, (_, i) => {
    const first = Math.floor((i * source) / target);
    const last = Math.floor(((i + 1) * source - 1) / target);
    return Array.from({ length: last - first + 1 }, (_, k): [number, number] => {
      const r = first + k;
      return [r, Math.min((i + 1) * source, (r + 1) * target) - Math.max(i * source, r * target)];
    });
  });
}

/** Returns the first row or column in the picture of lines with these `masses`. */
function place(masses: readonly number[]): number {
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const moment = masses.reduce((sum, mass, i) => sum + i * mass, 0);
  const first = total ? Math.floor(((MNIST_SIDE + 1) * total - 2 * moment) / (2 * total)) : 0;
  return Math.min(Math.max(first, 0), MNIST_SIDE - masses.length) + MARGIN;
}
