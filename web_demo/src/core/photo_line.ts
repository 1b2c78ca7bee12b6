/**
 * From a picture of a line of digits to the line that the wide net reads.
 *
 * A shorter way than `lenet_edge.picture.line`: the paper is estimated once, and ruled lines are not removed.
 */

import { FIELD } from "./decoder.ts";
import { type Grey, reduced } from "./grey.ts";
import { type Ink, inkOf } from "./ink.ts";
import { FINE, SIDES, WIDEST } from "./line.ts";
import { median } from "./median.ts";
import { checkSearchable } from "./photo.ts";
import { BOX } from "./picture.ts";
import { findPieces, heightOf, inkOfPieces, type Piece } from "./pieces.ts";
import { shadeOf, spread } from "./shade.ts";
import { PEN } from "./strokes.ts";

/** What is on a picture. */
export type FoundLine =
  | { readonly kind: "line"; readonly line: Ink }
  | { readonly kind: "blank" }
  | { readonly kind: "lines" };

/** The longer side of a picture as it is looked at, in pixels. */
export const LONGEST_SIDE = 2400;
/** The pixels of a picture in which a line is looked for. */
const SEARCHED_PIXELS = 500_000;
/** Of the heaviest piece's weight: lighter ones do not count for the usual height. */
const HEAVY = 0.15;
/** Of the usual height: what is lower is a dot or a dash, what is higher no digit. */
const TALL = { least: 0.5, most: 1.7 };
/** Of the digits' height: how far neighbours' middles are apart, and how far from the line all its ink is. */
const BESIDE = { neighbour: 0.6, line: 0.8 };
/** Of the line's weight: with more of it elsewhere there is more than one line. */
const ELSEWHERE = 0.3;
/** Digits whose middles give the line's slope: fewer are level. */
const SLOPING = 3;

/** A line on a picture: the row of its middle at column 0, how it slopes, and how tall its digits are. */
interface Run {
  readonly digits: readonly Piece[];
  readonly row: number;
  readonly slope: number;
  readonly body: number;
}

/** Returns the line on `grey`; throws RangeError for a picture too small or too long. */
export function findLine(grey: Grey): FoundLine {
  checkSearchable(grey);
  const factor = Math.ceil(Math.sqrt((grey.width * grey.height) / SEARCHED_PIXELS));
  const shade = shadeOf(reduced(grey, factor));
  const { pieces, level } = findPieces(shade);
  const digits = tallOf(pieces);
  if (!digits.length) return { kind: "blank" };
  const run = runOf(neighboursOf(digits));
  if (weightOf(digits) > (1 + ELSEWHERE) * weightOf(run.digits)) return { kind: "lines" };
  const on = pieces.filter((piece) => isOn(run, piece));
  return { kind: "line", line: levelled(inkOfPieces(on, shade, level), run, on) };
}

/** Returns the pieces that are as tall as digits. */
function tallOf(pieces: readonly Piece[]): Piece[] {
  if (!pieces.length) return [];
  const heavy = pieces.filter((piece) => piece.weight >= HEAVY * pieces[0].weight);
  const usual = median(heavy.map(heightOf));
  return pieces.filter((piece) => {
    const share = heightOf(piece) / usual;
    return share >= TALL.least && share <= TALL.most;
  });
}

/** Returns the heaviest digit and those beside it, each no further up or down than its neighbour allows. */
function neighboursOf(digits: readonly Piece[]): Piece[] {
  const sorted = [...digits].sort((a, b) => a.left - b.left);
  const start = sorted.indexOf(digits[0]);
  const chain = (rest: readonly Piece[]) => {
    const found = [digits[0]];
    for (const piece of rest) {
      const last = found[found.length - 1];
      const height = Math.max(heightOf(last), heightOf(piece));
      if (Math.abs(middleOf(piece) - middleOf(last)) <= BESIDE.neighbour * height) found.push(piece);
    }
    return found;
  };
  const before = chain(sorted.slice(0, start).reverse());
  return [...before.reverse(), ...chain(sorted.slice(start + 1)).slice(1)];
}

function middleOf(piece: Piece): number {
  return (piece.top + piece.bottom) / 2;
}

function weightOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.weight, 0);
}

/** Returns the line through `digits`, by least squares. */
function runOf(digits: readonly Piece[]): Run {
  const xs = digits.map((digit) => (digit.left + digit.right) / 2);
  const ys = digits.map(middleOf);
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  const squares = xs.reduce((sum, one) => sum + (one - x) ** 2, 0);
  const products = xs.reduce((sum, one, i) => sum + (one - x) * (ys[i] - y), 0);
  const slope = digits.length >= SLOPING && squares > 0 ? products / squares : 0;
  return { digits, row: y - slope * x, slope, body: median(digits.map(heightOf)) };
}

/** Returns whether a piece is on the line, and no rule as long as some digits. */
function isOn({ row, slope, body }: Run, piece: Piece): boolean {
  const middle = row + (slope * (piece.left + piece.right)) / 2;
  const height = heightOf(piece);
  return Math.abs(middleOf(piece) - middle) <= BESIDE.line * body && height <= TALL.most * body;
}

/** Returns `ink` levelled along the line, its digits 20 rows tall and its strokes at least as wide as MNIST's. */
function levelled(ink: Ink, { row, slope, body }: Run, pieces: readonly Piece[]): Ink {
  const left = Math.min(...pieces.map((piece) => piece.left));
  const right = Math.max(...pieces.map((piece) => piece.right));
  const scale = Math.min(BOX / body, (WIDEST - 2 * SIDES) / (right - left));
  const width = Math.min(Math.ceil((right - left) * scale) + 2 * SIDES, WIDEST);
  const columns = width * FINE;
  const fine = Float64Array.from({ length: columns * FIELD * FINE }, (_, at) => {
    const x = left + (((at % columns) + 0.5) / FINE - SIDES) / scale;
    const y = row + slope * x + ((Math.floor(at / columns) + 0.5) / FINE - FIELD / 2) / scale;
    return inkAt(ink, Math.floor(x), Math.floor(y));
  });
  const values = Uint8Array.from(thickened(fine, columns));
  return inkOf(width, FIELD, reduced({ width: columns, height: FIELD * FINE, values }, FINE).values);
}

function inkAt({ width, height, values }: Ink, x: number, y: number): number {
  return x >= 0 && x < width && y >= 0 && y < height ? values[y * width + x] : 0;
}

/** Returns strokes that are thinner than MNIST's as wide as those. */
function thickened(fine: Float64Array, columns: number): Float64Array {
  const isInk = (at: number) => fine[at] > 127;
  let [area, edge] = [0, 0];
  for (let at = 0; at < fine.length; at++) {
    if (!isInk(at)) continue;
    area++;
    if (![at - 1, at + 1, at - columns, at + columns].every(isInk)) edge++;
  }
  // A stroke has an edge on both sides.
  const missing = Math.floor((PEN * FINE - (2 * area) / Math.max(edge, 1)) / 2);
  return missing > 0 ? spread(fine, columns, missing, Math.max) : fine;
}
