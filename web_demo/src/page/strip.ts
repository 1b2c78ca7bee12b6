/** The line as the net sees it, and below each digit a bracket as wide as it. */

import { FIELD } from "../core/decoder.ts";
import type { Ink } from "../core/ink.ts";
import type { StringReading } from "../core/strings.ts";
import { paintInk } from "./colours.ts";
import { penOf } from "./element.ts";

/** Pixels of the strip for each pixel of the line. */
const ENLARGED = 6;
/** Rows under the line, for the digits' brackets and names. */
const CAPTIONS = 11;

/** Paints `line` with what was read; null: the strip is hidden. */
export function paintStrip(strip: HTMLCanvasElement, line: Ink | null, reading: StringReading | null): void {
  strip.hidden = !line;
  if (!line) return;
  strip.width = line.width * ENLARGED;
  strip.height = (FIELD + CAPTIONS) * ENLARGED;
  const pen = penOf(strip);
  const small = document.createElement("canvas");
  paintInk(small, line);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, 0, 0, line.width * ENLARGED, FIELD * ENLARGED);
  if (reading) paintDigits(strip, pen, reading);
}

function paintDigits(strip: HTMLCanvasElement, pen: CanvasRenderingContext2D, reading: StringReading): void {
  const style = getComputedStyle(strip);
  pen.strokeStyle = pen.fillStyle = style.getPropertyValue(reading.sure ? "--accent" : "--unsure");
  pen.lineWidth = 0.4 * ENLARGED;
  pen.textAlign = "center";
  pen.font = `600 ${8 * ENLARGED}px ${style.fontFamily}`;
  for (const { digit, left, right } of reading.string.digits) {
    const [from, to, top] = [(left + 1) * ENLARGED, (right - 1) * ENLARGED, (FIELD + 0.5) * ENLARGED];
    pen.beginPath();
    pen.moveTo(from, top);
    pen.lineTo(from, top + ENLARGED);
    pen.lineTo(to, top + ENLARGED);
    pen.lineTo(to, top);
    pen.stroke();
    pen.fillText(String(digit), (from + to) / 2, top + 9 * ENLARGED);
  }
}
