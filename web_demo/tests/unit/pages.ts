/** Pages for the tests: ink in any size on paper of any light. */

import type { Grey } from "../../src/core/grey.ts";

/** How paper and ink look: the paper's light at a place of the page, and the ink's. */
export interface Look {
  readonly paper: (x: number, y: number) => number;
  readonly ink: number;
}

/** Returns a page on which `ink` gives how much of a pixel is covered, 0 to 1. */
export function pageOf(
  width: number,
  height: number,
  look: Look,
  ink: (x: number, y: number) => number,
): Grey {
  const values = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const share = ink(x, y);
    return Math.round(look.paper(x, y) * (1 - share) + look.ink * share);
  });
  return { width, height, values };
}

/** Dark on white, bright on black, in a shadow, chalk. */
export const LOOKS: Readonly<Record<string, Look>> = {
  "dark on white": { paper: () => 255, ink: 0 },
  "bright on black": { paper: () => 0, ink: 255 },
  "dark on grey in a shadow": { paper: (x) => 220 - Math.min(x, 400) / 4, ink: 40 },
  "chalk on a board": { paper: (x, y) => 60 + (x + y) / 40, ink: 230 },
};

/** Returns how much two pictures have in common, 1 for the same. */
export function likeness(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const sum = (f: (i: number) => number) => Array.from(one).reduce((total, _, i) => total + f(i), 0);
  const [own, its] = [sum((i) => one[i] ** 2), sum((i) => other[i] ** 2)];
  return sum((i) => one[i] * other[i]) / Math.sqrt(own * its);
}
