/** From strokes on a wide canvas to the line that the wide net reads: 32 rows, digits about 20 rows tall. */

import { FIELD } from "./decoder.ts";
import { reduced } from "./grey.ts";
import { type Ink, inkOf } from "./ink.ts";
import { median } from "./median.ts";
import { BOX, SIDE } from "./picture.ts";
import { type Extent, extentOf, PEN, type Point, Sheet, type Strokes } from "./strokes.ts";

/** Columns left empty on each side of the line. */
export const SIDES = 6;
/** Pixels of the drawn line for each pixel of the picture. */
export const FINE = 4;
/** The widest line, in pixels: some 200 digits. */
export const WIDEST = 4096 / FINE;
/** Of the height of the tallest figure: anything lower is a dot or a bar, and does not count for the size. */
const TALL = 0.5;

/** Returns the line, at most 1,024 columns wide, or null without a stroke. */
export function lineOfStrokes(strokes: Strokes): Ink | null {
  const drawn = extentOf(strokes.flat());
  if (!drawn) return null;
  const figures = figuresOf(strokes);
  const tallest = Math.max(...figures.map(heightOf));
  const tall = figures.filter((figure) => heightOf(figure) >= TALL * tallest);
  const body = Math.max(median(tall.map(heightOf)), (drawn.right - drawn.left) / WIDEST, 1e-3);
  const scale = Math.min((BOX - PEN) / body, (WIDEST - 2 * SIDES - PEN) / (drawn.right - drawn.left || 1));
  const middle = median(tall.map((figure) => (figure.top + figure.bottom) / 2));
  const width = Math.ceil((drawn.right - drawn.left) * scale + PEN) + 2 * SIDES;
  const sheet = new Sheet(width * FINE, FIELD * FINE, (PEN * FINE) / 2);
  sheet.draw(strokes, (point: Point) => ({
    x: ((point.x - drawn.left) * scale + PEN / 2 + SIDES) * FINE,
    y: ((point.y - middle) * scale + SIDE / 2) * FINE,
  }));
  const { values } = reduced(sheet.ink(), FINE);
  return inkOf(width, FIELD, values);
}

/** Returns the extents of the figures from left to right: strokes that share columns are one figure. */
function figuresOf(strokes: Strokes): Extent[] {
  const extents = strokes.flatMap((stroke) => extentOf(stroke) ?? []).sort((a, b) => a.left - b.left);
  const figures: Extent[] = [];
  for (const one of extents) {
    const last = figures[figures.length - 1];
    if (!last || one.left > last.right) {
      figures.push(one);
      continue;
    }
    figures[figures.length - 1] = {
      left: last.left,
      top: Math.min(last.top, one.top),
      right: Math.max(last.right, one.right),
      bottom: Math.max(last.bottom, one.bottom),
    };
  }
  return figures;
}

function heightOf(figure: Extent): number {
  return figure.bottom - figure.top;
}
