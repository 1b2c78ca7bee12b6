/** Grey pixels, and a smaller picture of their means. */

/** A grey picture, one byte a pixel, row by row: 0 black to 255 white, or as ink 0 for paper to 255. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
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
