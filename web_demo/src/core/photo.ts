/**
 * From a picture that somebody took or drew elsewhere to the digit on it.
 *
 * A shorter way than `lenet_edge.picture.digit`: the paper is estimated once, ruled lines are not removed, slanted
 * paper is not turned, and a small digit is not looked at a second time.
 */

import { type Ink, inkOf } from "./ink.ts";
import { BOX, boxOf, pictureOf, SIDE } from "./picture.ts";

/** A grey picture, 0 black to 255 white, row by row. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
}

/** What is on a picture. */
export type Found =
  | { readonly kind: "digit"; readonly picture: Uint8Array }
  | { readonly kind: "blank" }
  | { readonly kind: "crowded"; readonly figures: number };

/** The longer side of a picture in which a digit is looked for, in pixels. */
export const SEARCHED_SIDE = 384;
/** The shortest side of a picture, in pixels. */
export const SMALLEST_SIDE = 8;
/** The largest ratio of a picture's sides. */
export const LARGEST_RATIO = 20;

const MNIST_SIDE = 28;
/** Grey levels: up to here MNIST's paper is empty. */
const BLACK = 40;
/** Share of light absorbed: nothing fainter is ink. */
const FAINTEST = 0.07;
/** The widest stroke, as a share of the picture's shorter side. */
const WIDEST_STROKE = 0.36;
/** Of full ink: what is darker belongs to a stroke. */
const STROKE = 0.35;
/** Of the digit's size: pieces nearer than this are one digit. */
const NEAR = 0.25;

/** Returns the digit on `grey`; throws RangeError for a picture too small or too long. */
export function findDigit(grey: Grey): Found {
  const [shorter, longer] = [Math.min(grey.width, grey.height), Math.max(grey.width, grey.height)];
  if (shorter < SMALLEST_SIDE || longer > LARGEST_RATIO * shorter) {
    throw new RangeError(
      `expected sides of ${SMALLEST_SIDE} pixels or more, got ${grey.width}x${grey.height}`,
    );
  }
  const ready =
    mnistPicture(grey.values, grey) ??
    mnistPicture(
      grey.values.map((value) => 255 - value),
      grey,
    );
  if (ready) return { kind: "digit", picture: ready };
  const small = reduced(grey, Math.ceil(longer / SEARCHED_SIDE));
  const shade = shadeOf(small);
  const noise = flatPaper(small) === null ? medianOf(shade.map(Math.abs)) * 1.5 : 0;
  const faint = piecesOf(shade, small.width, Math.max(FAINTEST, 4 * noise));
  if (!faint.length) return { kind: "blank" };
  const level = fullShade(shade, faint[0]);
  const pieces = piecesOf(shade, small.width, Math.max(FAINTEST, STROKE * level));
  if (!pieces.length) return { kind: "blank" };
  const { digit, others } = grouped(pieces);
  if (others) return { kind: "crowded", figures: others + 1 };
  const picture = pictureOf(inkOfPieces(digit, shade, level, small));
  return picture ? { kind: "digit", picture } : { kind: "blank" };
}

/** Returns `ink`, 28 or 32 pixels square, as the net's picture if it is in MNIST's form already, else null. */
function mnistPicture(ink: Uint8Array, { width, height }: Grey): Uint8Array | null {
  if (width !== height || (width !== MNIST_SIDE && width !== SIDE)) return null;
  const strong = inkOf(
    width,
    height,
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

/** Returns the means of `factor` x `factor` pixels; what is left over at the right and the bottom is cut off. */
export function reduced(grey: Grey, factor: number): Grey {
  if (factor <= 1) return grey;
  const [width, height] = [Math.floor(grey.width / factor), Math.floor(grey.height / factor)];
  const values = Uint8Array.from({ length: width * height }, (_, at) => {
    const start = Math.floor(at / width) * factor * grey.width + (at % width) * factor;
    let sum = 0;
    for (let row = 0; row < factor; row++) {
      for (let column = 0; column < factor; column++) sum += grey.values[start + row * grey.width + column];
    }
    return Math.round(sum / factor ** 2);
  });
  return { width, height, values };
}

/** Returns true for drawings on black, false for those on white, null for paper with shades. */
function flatPaper({ values }: Grey): boolean | null {
  const shareOf = (good: (value: number) => boolean) => values.filter(good).length / values.length;
  const [black, white] = [shareOf((value) => value <= 50), shareOf((value) => value >= 205)];
  if (black + white < 0.65) return null;
  const bare = black > white ? shareOf((value) => value <= 3) : shareOf((value) => value >= 252);
  return bare > 0.2 ? black > white : null;
}

/** Returns which share of the paper's light each pixel absorbs; bright ink on dark paper is turned round. */
function shadeOf(grey: Grey): Float64Array {
  const flat = flatPaper(grey);
  const bright = flat ?? isInkBright(grey);
  const light = Float64Array.from(grey.values, (value) => (bright ? 255 - value : value) + 1);
  const paper = flat === null ? closing(light, grey) : light.map(() => 256);
  return light.map((value, at) => 1 - value / paper[at]);
}

/** Returns whether the ink is the bright part: strokes are few, so they are what is further from the mean. */
function isInkBright({ values }: Grey): boolean {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 3, 0) > 0;
}

/** Returns the paper's light: everything dark that is narrower than the window is filled with what is around. */
function closing(light: Float64Array, { width, height }: Grey): Float64Array {
  const half = Math.max(1, Math.floor((Math.min(width, height) * WIDEST_STROKE) / 2));
  const spread = (values: Float64Array, better: (a: number, b: number) => number) =>
    alongColumns(alongRows(values, width, half, better), width, half, better);
  return spread(spread(light, Math.max), Math.min);
}

type Better = (a: number, b: number) => number;

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

/** A connected piece of ink: its pixels, its box, and its weight, less if the picture's edge cuts it. */
interface Piece {
  readonly pixels: readonly number[];
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly weight: number;
}

/** Returns the pieces whose shade is above `threshold`, specks left out, the heaviest first. */
function piecesOf(shade: Float64Array, width: number, threshold: number): Piece[] {
  const height = shade.length / width;
  const seen = new Uint8Array(shade.length);
  const pieces: Piece[] = [];
  for (let start = 0; start < shade.length; start++) {
    if (seen[start] || shade[start] <= threshold) continue;
    const pixels = [start];
    seen[start] = 1;
    for (let next = 0; next < pixels.length; next++) {
      for (const at of neighbours(pixels[next], width, height)) {
        if (!seen[at] && shade[at] > threshold) {
          seen[at] = 1;
          pixels.push(at);
        }
      }
    }
    if (pixels.length >= 5) pieces.push(pieceOf(pixels, shade, width, height));
  }
  return pieces.sort((a, b) => b.weight - a.weight);
}

function neighbours(at: number, width: number, height: number): number[] {
  const [x, y] = [at % width, Math.floor(at / width)];
  const found: number[] = [];
  for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
    for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
      found.push(row * width + column);
    }
  }
  return found;
}

function pieceOf(pixels: readonly number[], shade: Float64Array, width: number, height: number): Piece {
  let [left, top, right, bottom, mass] = [width, height, 0, 0, 0];
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    mass += shade[at];
  }
  const cut = left === 0 || top === 0 || right === width || bottom === height;
  return { pixels, left, top, right, bottom, weight: cut ? mass / 10 : mass };
}

/** Returns the shade of full ink: the mean of a piece's shades, weighted by the shade. */
function fullShade(shade: Float64Array, piece: Piece): number {
  let [sum, squares] = [0, 0];
  for (const at of piece.pixels) {
    sum += shade[at];
    squares += shade[at] ** 2;
  }
  return squares / sum;
}

/** Returns the pieces of the digit with the heaviest piece, and how many other figures there are. */
function grouped(pieces: readonly Piece[]): { digit: Piece[]; others: number } {
  const [main, ...rest] = pieces;
  const size = Math.max(main.right - main.left, main.bottom - main.top);
  const digit = [main];
  let left = rest.filter((piece) => piece.pixels.length >= 0.01 * main.pixels.length);
  for (let grown = true; grown; ) {
    const near = left.filter((piece) => digit.some((one) => gap(one, piece) <= NEAR * size));
    digit.push(...near);
    left = left.filter((piece) => !near.includes(piece));
    grown = near.length > 0;
  }
  const figures = left.filter((piece) => {
    const longer = Math.max(piece.right - piece.left, piece.bottom - piece.top);
    return longer >= 0.4 * size && piece.pixels.length >= 0.15 * main.pixels.length;
  });
  return { digit, others: figures.length };
}

/** Returns the distance between the boxes of two pieces. */
function gap(one: Piece, other: Piece): number {
  const across = Math.max(one.left - other.right, other.left - one.right, 0);
  const down = Math.max(one.top - other.bottom, other.top - one.bottom, 0);
  return Math.hypot(across, down);
}

/** Returns the pieces as ink, with the faint pixels beside them, which are the strokes' soft edges. */
function inkOfPieces(
  pieces: readonly Piece[],
  shade: Float64Array,
  level: number,
  { width, height }: Grey,
): Ink {
  const values = new Uint8Array(width * height);
  for (const piece of pieces) {
    for (const pixel of piece.pixels) {
      for (const at of neighbours(pixel, width, height)) {
        values[at] = Math.round(255 * Math.min(Math.max(shade[at] / level, 0), 1));
      }
    }
  }
  return inkOf(width, height, values);
}

function medianOf(values: Float64Array): number {
  return values.slice().sort()[Math.floor(values.length / 2)];
}
