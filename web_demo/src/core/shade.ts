/** Which share of the paper's light each pixel absorbs, in any light; the paper is estimated once. */

import type { Grey } from "./grey.ts";
import { median } from "./median.ts";

/** Share of light absorbed: nothing fainter is ink. */
const FAINTEST = 0.07;
/** The widest stroke, as a share of the picture's shorter side. */
const WIDEST_STROKE = 0.36;

/** The ink of a picture as the share of light that each pixel absorbs; `faintest`: less is paper. */
export interface Shade {
  readonly width: number;
  readonly height: number;
  readonly values: Float64Array;
  readonly faintest: number;
}

/** Returns the shade of `grey`; bright ink on dark paper is turned round. */
export function shadeOf(grey: Grey): Shade {
  const { width, height } = grey;
  const flat = flatPaper(grey);
  const bright = flat ?? isInkBright(grey);
  const light = Float64Array.from(grey.values, (value) => (bright ? 255 - value : value) + 1);
  const paper = flat === null ? closing(light, grey) : light.map(() => 256);
  const values = light.map((value, at) => 1 - value / paper[at]);
  const noise = flat === null ? median(values.map(Math.abs)) * 1.5 : 0;
  return { width, height, values, faintest: Math.max(FAINTEST, 4 * noise) };
}

/** Returns true for drawings on black, false for those on white, null for paper with shades. */
function flatPaper({ values }: Grey): boolean | null {
  const shareOf = (good: (value: number) => boolean) => values.filter(good).length / values.length;
  const [black, white] = [shareOf((value) => value <= 50), shareOf((value) => value >= 205)];
  if (black + white < 0.65) return null;
  const bare = black > white ? shareOf((value) => value <= 3) : shareOf((value) => value >= 252);
  return bare > 0.2 ? black > white : null;
}

/**
 * Returns whether the ink is the bright part: strokes are few, so they are what is further from the mean.
 *
 * The mean is that of a square half as high as the picture: over all of it a shadow outweighs the strokes.
 */
function isInkBright(grey: Grey): boolean {
  const side = Math.ceil(Math.min(grey.width, grey.height) / 2);
  let skew = 0;
  for (let top = 0; top < grey.height; top += side) {
    for (let left = 0; left < grey.width; left += side) skew += skewOf(squareOf(grey, left, top, side));
  }
  return skew > 0;
}

/** Returns the values of a square of `side` pixels, less at the picture's right and bottom. */
function squareOf({ width, height, values }: Grey, left: number, top: number, side: number): number[] {
  const rows = Array.from({ length: Math.min(side, height - top) }, (_, i) => (top + i) * width);
  return rows.flatMap((row) => Array.from(values.subarray(row + left, row + Math.min(left + side, width))));
}

/** Returns the sum of the third powers of how far values are from their mean. */
function skewOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 3, 0);
}

/** Returns the paper's light: everything dark that is narrower than the window is filled with what is around. */
function closing(light: Float64Array, { width, height }: Grey): Float64Array {
  const half = Math.max(1, Math.floor((Math.min(width, height) * WIDEST_STROKE) / 2));
  return spread(spread(light, width, half, Math.max), width, half, Math.min);
}

type Better = (a: number, b: number) => number;

/** Returns the best of the square around each pixel that reaches `half` pixels each way. */
export function spread(values: Float64Array, width: number, half: number, better: Better): Float64Array {
  return alongColumns(alongRows(values, width, half, better), width, half, better);
}

/** Returns the best of the `half` pixels on both sides of each pixel of a row. */
function alongRows(values: Float64Array, width: number, half: number, better: Better): Float64Array {
  const found = values.slice();
  // Twice as many pixels are covered with each step.
  for (let covered = 1; covered <= half; ) {
    const step = Math.min(covered, half + 1 - covered);
    const before = found.slice();
    before.forEach((value, at) => {
      const x = at % width;
      const left = before[at - Math.min(step, x)];
      const right = before[at + Math.min(step, width - 1 - x)];
      found[at] = better(value, better(left, right));
    });
    covered += step;
  }
  return found;
}

function alongColumns(values: Float64Array, width: number, half: number, better: Better): Float64Array {
  const height = values.length / width;
  const turned = values.map((_, at) => values[(at % height) * width + Math.floor(at / height)]);
  const found = alongRows(turned, height, half, better);
  return values.map((_, at) => found[(at % width) * height + Math.floor(at / width)]);
}
