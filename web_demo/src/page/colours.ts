/** The colours of the page as numbers, for canvases: from paper to ink, and from negative to positive. */

import type { Ink } from "../core/ink.ts";
import { SIDE } from "../core/picture.ts";
import { penOf } from "./element.ts";

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** The colours of one theme. */
export interface Colours {
  readonly paper: Colour;
  readonly ink: Colour;
  readonly negative: Colour;
  readonly zero: Colour;
  readonly positive: Colour;
}

/** Returns the colours that style.css gives now. */
export function coloursNow(): Colours {
  const style = getComputedStyle(document.documentElement);
  const pen = penOf(document.createElement("canvas"));
  const colour = (name: string): Colour => {
    // A canvas tells every way of writing a colour as #rrggbb.
    pen.fillStyle = style.getPropertyValue(`--${name}`).trim();
    const whole = Number.parseInt(String(pen.fillStyle).slice(1), 16);
    return [whole >> 16, (whole >> 8) & 255, whole & 255];
  };
  return {
    paper: colour("sheet"),
    ink: colour("ink"),
    negative: colour("negative"),
    zero: colour("zero"),
    positive: colour("positive"),
  };
}

/** Returns the colour between `from` and `to`; `share`: 0 to 1, outside it is the nearer end. */
export function between(from: Colour, to: Colour, share: number): Colour {
  const part = Math.min(Math.max(share, 0), 1);
  const one = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * part);
  return [one(0), one(1), one(2)];
}

/** Returns the colour of a unit that gives `value`, of at most `most` either way. */
export function signed(colours: Colours, value: number, most: number): Colour {
  return between(colours.zero, value < 0 ? colours.negative : colours.positive, Math.abs(value) / most);
}

/** Paints a canvas of `width` pixels a row; `colour` gives each pixel's colour. CSS enlarges it. */
export function paint(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  colour: (at: number) => Colour,
): void {
  canvas.width = width;
  canvas.height = height;
  const pen = penOf(canvas);
  const image = pen.createImageData(width, height);
  for (let at = 0; at < width * height; at++) image.data.set([...colour(at), 255], 4 * at);
  pen.putImageData(image, 0, 0);
}

/** Paints the net's picture; null: nothing is drawn. */
export function paintPicture(canvas: HTMLCanvasElement, picture: Uint8Array | null): void {
  paintInk(canvas, { width: SIDE, height: SIDE, values: picture ?? new Uint8Array(SIDE * SIDE) });
}

/** Paints ink on paper. */
export function paintInk(canvas: HTMLCanvasElement, { width, height, values }: Ink): void {
  const { paper, ink } = coloursNow();
  paint(canvas, width, height, (at) => between(paper, ink, values[at] / 255));
}
