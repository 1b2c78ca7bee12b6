/** From strokes to ink: what a pen drew, with a line as thick as MNIST's at whatever size it was drawn. */

import { type Ink, inkOf } from "./ink.ts";
import { BOX } from "./picture.ts";

/** A place on the canvas, in widths of its shorter side; a pen may leave the canvas. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The points of each stroke, in the order in which they were drawn. */
export type Strokes = readonly (readonly Point[])[];

/** The pen's width in the picture's box of 20 pixels: in the middle of the range of MNIST's digits. */
export const PEN = 2.8;
/** Drawings smaller than this are a dot, and are not enlarged to a digit's size. */
const SMALLEST = 0.08;
/** Pixels of ink for each pixel of the picture: fine enough for means over areas to be smooth. */
const FINE = 6;

/** The corners of what the middle of the pen touched. */
export interface Extent {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Returns the extent of `points`, or null for none. */
export function extentOf(points: readonly Point[]): Extent | null {
  if (!points.length) return null;
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/**
 * Returns the drawing as ink, its longer side 120 pixels, or null without a point.
 *
 * Relative to the drawing the pen is as wide as MNIST's, however large the drawing and thick the line on the
 * screen: the net was trained on that, and strokes give the line's middle exactly.
 */
export function inkOfStrokes(strokes: Strokes): Ink | null {
  const extent = extentOf(strokes.flat());
  if (!extent) return null;
  const [width, height] = [extent.right - extent.left, extent.bottom - extent.top];
  const scale = ((BOX - PEN) * FINE) / Math.max(width, height, SMALLEST);
  const radius = (PEN * FINE) / 2;
  const edge = radius + 1;
  const side = (length: number) => Math.ceil(length * scale + 2 * edge);
  const sheet = new Sheet(side(width), side(height), radius);
  sheet.draw(strokes, (point) => ({
    x: (point.x - extent.left) * scale + edge,
    y: (point.y - extent.top) * scale + edge,
  }));
  return sheet.ink();
}

/** Ink being drawn: each pixel is covered by how far the nearest line reaches over its middle. */
export class Sheet {
  private readonly values: Uint8Array;

  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly radius: number,
  ) {
    this.values = new Uint8Array(width * height);
  }

  /** Draws the strokes; `placed` maps a point to this sheet's pixels. What is outside is left out. */
  draw(strokes: Strokes, placed: (point: Point) => Point): void {
    for (const stroke of strokes) {
      const points = stroke.map(placed);
      points.forEach((point, i) => {
        this.line(points[Math.max(i - 1, 0)], point);
      });
    }
  }

  ink(): Ink {
    return inkOf(this.width, this.height, this.values);
  }

  private line(a: Point, b: Point): void {
    const reach = this.radius + 1;
    const span = (one: number, other: number, size: number): [number, number] => [
      Math.max(Math.floor(Math.min(one, other) - reach), 0),
      Math.min(Math.ceil(Math.max(one, other) + reach), size - 1),
    ];
    const [top, bottom] = span(a.y, b.y, this.height);
    const [left, right] = span(a.x, b.x, this.width);
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const cover = this.radius + 0.5 - distance({ x: x + 0.5, y: y + 0.5 }, a, b);
        const at = y * this.width + x;
        if (cover > 0) this.values[at] = Math.max(this.values[at], Math.floor(255 * Math.min(cover, 1)));
      }
    }
  }
}

/** Returns the distance of `point` from the line between `a` and `b`, which may be one point. */
function distance(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = dx * dx + dy * dy;
  const along = length ? ((point.x - a.x) * dx + (point.y - a.y) * dy) / length : 0;
  const share = Math.min(Math.max(along, 0), 1);
  return Math.hypot(point.x - a.x - share * dx, point.y - a.y - share * dy);
}
