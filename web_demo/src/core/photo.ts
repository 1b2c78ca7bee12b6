/**
 * From a picture that somebody took or drew elsewhere to the digit on it.
 *
 * A shorter way than `lenet_edge.picture.digit`: the paper is estimated once, ruled lines are not removed, slanted
 * paper is not turned, and a small digit is not looked at a second time.
 */

import { type Grey, reduced } from "./grey.ts";
import { mnistPicture } from "./mnist_form.ts";
import { pictureOf } from "./picture.ts";
import { findPieces, inkOfPieces, type Piece } from "./pieces.ts";
import { shadeOf } from "./shade.ts";

/** What is on a picture. */
export type Found =
  | { readonly kind: "digit"; readonly picture: Uint8Array }
  | { readonly kind: "blank" }
  | { readonly kind: "crowded"; readonly figures: number };

/** The longer side of a picture in which a digit is looked for, in pixels. */
export const SEARCHED_SIDE = 384;
/** The shortest side of a picture, in pixels. */
const SMALLEST_SIDE = 8;
/** The largest ratio of a picture's sides. */
const LARGEST_RATIO = 20;

/** Of the digit's size: pieces nearer than this are one digit. */
const NEAR = 0.25;

/** Returns whether a picture of this size is large enough, and not too long, to be searched. */
export function isSearchable(width: number, height: number): boolean {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
  return shorter >= SMALLEST_SIDE && longer <= LARGEST_RATIO * shorter;
}

/** Throws RangeError unless a picture can be searched. */
export function checkSearchable({ width, height }: Grey): void {
  if (isSearchable(width, height)) return;
  throw new RangeError(
    `expected sides of ${SMALLEST_SIDE} pixels or more, up to ${LARGEST_RATIO} to 1, got ${width} x ${height}`,
  );
}

/** Returns the digit on `grey`; throws RangeError for a picture too small or too long. */
export function findDigit(grey: Grey): Found {
  checkSearchable(grey);
  const ready = mnistPicture(grey);
  if (ready) return { kind: "digit", picture: ready };
  const shade = shadeOf(reduced(grey, Math.ceil(Math.max(grey.width, grey.height) / SEARCHED_SIDE)));
  const { pieces, level } = findPieces(shade);
  if (!pieces.length) return { kind: "blank" };
  const { digit, others } = grouped(pieces);
  if (others) return { kind: "crowded", figures: others + 1 };
  const picture = pictureOf(inkOfPieces(digit, shade, level));
  return picture ? { kind: "digit", picture } : { kind: "blank" };
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
