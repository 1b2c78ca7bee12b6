/** Connected pieces of ink, and the ink of some of them. */

import { type Ink, inkOf } from "./ink.ts";
import type { Shade } from "./shade.ts";

/** Of full ink: what is darker belongs to a stroke. */
const STROKE = 0.35;
/** Pixels: a smaller piece is a speck. */
const SMALLEST = 5;

/** A connected piece of ink: its pixels, its box, and its weight, less if the picture's edge cuts it. */
export interface Piece {
  readonly pixels: readonly number[];
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly weight: number;
}

/** The pieces of a picture, the heaviest first, and the `level` of full ink. */
export interface Pieces {
  readonly pieces: readonly Piece[];
  readonly level: number;
}

/** Returns the pieces of `shade`: what is as dark as a stroke beside the heaviest piece of any ink. */
export function findPieces(shade: Shade): Pieces {
  const [faint] = piecesAbove(shade, shade.faintest);
  if (!faint) return { pieces: [], level: 1 };
  const level = fullShade(shade, faint);
  return { pieces: piecesAbove(shade, Math.max(shade.faintest, STROKE * level)), level };
}

/** Returns the height of a piece's box. */
export function heightOf(piece: Piece): number {
  return piece.bottom - piece.top;
}

/** Returns the pieces as ink, with the faint pixels beside them, which are the strokes' soft edges. */
export function inkOfPieces(pieces: readonly Piece[], shade: Shade, level: number): Ink {
  const values = new Uint8Array(shade.values.length);
  for (const piece of pieces) {
    for (const pixel of piece.pixels) {
      for (const at of neighbours(pixel, shade)) {
        values[at] = Math.round(255 * Math.min(Math.max(shade.values[at] / level, 0), 1));
      }
    }
  }
  return inkOf(shade.width, shade.height, values);
}

/** Returns the pieces whose shade is above `threshold`, specks left out, the heaviest first. */
function piecesAbove(shade: Shade, threshold: number): Piece[] {
  const { values } = shade;
  const seen = new Uint8Array(values.length);
  const pieces: Piece[] = [];
  for (let start = 0; start < values.length; start++) {
    if (seen[start] || values[start] <= threshold) continue;
    const pixels = [start];
    seen[start] = 1;
    for (let next = 0; next < pixels.length; next++) {
      for (const at of neighbours(pixels[next], shade)) {
        if (!seen[at] && values[at] > threshold) {
          seen[at] = 1;
          pixels.push(at);
        }
      }
    }
    if (pixels.length >= SMALLEST) pieces.push(pieceOf(pixels, shade));
  }
  return pieces.sort((a, b) => b.weight - a.weight);
}

/** Returns the pixels of the 3 x 3 around `at` that are in the picture. */
function neighbours(at: number, { width, height }: Shade): number[] {
  const [x, y] = [at % width, Math.floor(at / width)];
  const found: number[] = [];
  for (let row = Math.max(y - 1, 0); row <= Math.min(y + 1, height - 1); row++) {
    for (let column = Math.max(x - 1, 0); column <= Math.min(x + 1, width - 1); column++) {
      found.push(row * width + column);
    }
  }
  return found;
}

function pieceOf(pixels: readonly number[], { values, width, height }: Shade): Piece {
  let [left, top, right, bottom, mass] = [width, height, 0, 0, 0];
  for (const at of pixels) {
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    mass += values[at];
  }
  const cut = left === 0 || top === 0 || right === width || bottom === height;
  return { pixels, left, top, right, bottom, weight: cut ? mass / 10 : mass };
}

/** Returns the shade of full ink: the mean of a piece's shades, weighted by the shade. */
function fullShade({ values }: Shade, piece: Piece): number {
  let [sum, squares] = [0, 0];
  for (const at of piece.pixels) {
    sum += values[at];
    squares += values[at] ** 2;
  }
  return squares / sum;
}
