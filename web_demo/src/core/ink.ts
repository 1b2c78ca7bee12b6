/** A drawing or a grey picture: pixels row by row, one byte each. */

const LARGEST = 4096;

/** A drawing of `width` by `height` pixels, row by row: 0 for paper to 255 for ink. */
export interface Ink {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
}

/** Returns the ink; throws RangeError when a side is not 1 to 4,096 or the pixels are of another number. */
export function inkOf(width: number, height: number, values: Uint8Array): Ink {
  const side = Math.max(width, height);
  if (!(Math.min(width, height) >= 1 && side <= LARGEST)) {
    throw new RangeError(`expected sides from 1 to ${LARGEST}, got ${width} x ${height}`);
  }
  if (values.length !== width * height) {
    throw new RangeError(`expected ${width * height} pixels, got ${values.length}`);
  }
  return { width, height, values };
}
