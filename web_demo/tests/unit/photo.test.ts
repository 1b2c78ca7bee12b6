import { describe, expect, test } from "vitest";
import { reduced } from "../../src/core/grey.ts";
import { findDigit } from "../../src/core/photo.ts";
import { golden } from "./fixtures.ts";
import { LOOKS, likeness, pageOf } from "./pages.ts";

const DIGITS = golden.pictures.filter(({ label }) => label !== null);

/** A golden digit enlarged in the middle of a page of `side` pixels. */
const digitOn = (pixels: readonly number[], side: number) => (x: number, y: number) => {
  const place = (at: number) => Math.floor(((at - side / 4) * 64) / side);
  const [column, row] = [place(x), place(y)];
  const inside = column >= 0 && column < 32 && row >= 0 && row < 32;
  return inside ? pixels[row * 32 + column] / 255 : 0;
};

describe.each(Object.entries(LOOKS))("a digit %s", (_, look) => {
  test.each([4, 7, 10, 17])("is found as golden picture %i has it", (place) => {
    const { pixels } = DIGITS[place];
    const found = findDigit(pageOf(256, 256, look, digitOn(pixels, 256)));
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
  for (const paper of [() => 255, () => 128, () => 200 + noise()]) {
    expect(findDigit(pageOf(128, 128, { paper, ink: 0 }, () => 0)).kind).toBe("blank");
  }
});

test("two figures are told", () => {
  const one = pageOf(128, 128, LOOKS["dark on white"], digitOn(DIGITS[3].pixels, 128));
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
