import { describe, expect, test } from "vitest";
import { findDigit, type Grey, reduced } from "../../src/core/photo.ts";
import { golden } from "./fixtures.ts";

const DIGITS = golden.pictures.filter(({ label }) => label !== null);

/** A picture of `side` pixels: paper of a light, and on it a golden digit enlarged in ink of a light. */
function page(
  pixels: readonly number[],
  side: number,
  light: (x: number, y: number) => number,
  ink: number,
): Grey {
  const size = side / 2;
  const values = Uint8Array.from({ length: side * side }, (_, at) => {
    const [x, y] = [at % side, Math.floor(at / side)];
    const [column, row] = [
      Math.floor(((x - side / 4) * 32) / size),
      Math.floor(((y - side / 4) * 32) / size),
    ];
    const inside = column >= 0 && column < 32 && row >= 0 && row < 32;
    const share = inside ? pixels[row * 32 + column] / 255 : 0;
    return Math.round(light(x, y) * (1 - share) + ink * share);
  });
  return { width: side, height: side, values };
}

/** Returns how much two pictures have in common, 1 for the same. */
function likeness(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const sum = (f: (i: number) => number) => Array.from(one).reduce((total, _, i) => total + f(i), 0);
  const [own, its] = [sum((i) => one[i] ** 2), sum((i) => other[i] ** 2)];
  return sum((i) => one[i] * other[i]) / Math.sqrt(own * its);
}

const PAPERS = {
  "dark on white": [() => 255, 0],
  "bright on black": [() => 0, 255],
  "dark on grey in a shadow": [(x: number) => 220 - x / 3, 40],
  "chalk on a board": [(x: number, y: number) => 60 + (x + y) / 16, 230],
} as const;

describe.each(Object.entries(PAPERS))("a digit %s", (_, [light, ink]) => {
  test.each([4, 7, 10, 17])("is found as golden picture %i has it", (place) => {
    const { pixels } = DIGITS[place];
    const found = findDigit(page(pixels, 256, light, ink));
    // Blocks of four pixels, averaged again, and cut off where they are faint.
    expect(found.kind === "digit" && likeness(found.picture, pixels)).toBeGreaterThan(0.93);
  });
});

test.each([28, 32])("a picture of %i pixels in MNIST's form passes unchanged, dark or bright", (side) => {
  const { pixels } = DIGITS[3];
  const margin = (32 - side) / 2;
  const values = Uint8Array.from({ length: side * side }, (_, at) => {
    const [x, y] = [at % side, Math.floor(at / side)];
    return pixels[(y + margin) * 32 + x + margin];
  });
  for (const shown of [values, values.map((value) => 255 - value)]) {
    const found = findDigit({ width: side, height: side, values: shown });
    expect(found.kind === "digit" && Array.from(found.picture)).toEqual(pixels);
  }
});

test("nothing is found on white, grey and noisy paper", () => {
  let seed = 7;
  const noise = () => {
    seed = (seed * 48271) % 2147483647;
    return seed % 9;
  };
  for (const light of [() => 255, () => 128, () => 200 + noise()]) {
    expect(findDigit(page(new Array(1024).fill(0), 128, light, 0)).kind).toBe("blank");
  }
});

test("two figures are told", () => {
  const one = page(DIGITS[3].pixels, 128, () => 255, 0);
  const values = new Uint8Array(256 * 128);
  for (let at = 0; at < values.length; at++) values[at] = one.values[Math.floor(at / 256) * 128 + (at % 128)];
  expect(findDigit({ width: 256, height: 128, values })).toEqual({ kind: "crowded", figures: 2 });
});

test.each([
  [7, 100],
  [20, 401],
])("a picture of %i x %i is refused", (width, height) => {
  expect(() => findDigit({ width, height, values: new Uint8Array(width * height) })).toThrow(
    /^expected .*, got /,
  );
});

test("a picture is reduced to means", () => {
  const small = reduced({ width: 5, height: 2, values: Uint8Array.from([0, 4, 8, 8, 9, 8, 12, 8, 9, 9]) }, 2);
  expect(small).toEqual({ width: 2, height: 1, values: Uint8Array.from([6, 8]) });
});
