/** The page's sign: the paper's bitmap of a digit. */

import { BITMAP } from "../core/paper.ts";
import { element, penOf } from "./element.ts";

/** Paints a digit's code of 84 values in white on the sign's ground. */
export function paintLogo(code: Float32Array): void {
  const canvas = element("logo", HTMLCanvasElement);
  canvas.width = BITMAP.width + 4;
  canvas.height = BITMAP.height + 3;
  const pen = penOf(canvas);
  pen.fillStyle = "white";
  code.forEach((value, at) => {
    if (value > 0) pen.fillRect(2 + (at % BITMAP.width), 2 + Math.floor(at / BITMAP.width), 1, 1);
  });
}
