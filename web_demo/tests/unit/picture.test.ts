import { describe, expect, test } from "vitest";
import { inkOf } from "../../src/core/ink.ts";
import { boxOf, pictureOf } from "../../src/core/picture.ts";
import { golden } from "./fixtures.ts";

describe("a drawing becomes its picture, bit for bit", () => {
  test.each(golden.drawings)("$name", ({ width, height, ink, pixels }) => {
    const picture = pictureOf(inkOf(width, height, Uint8Array.from(ink)));
    expect(Array.from(picture ?? [])).toEqual(pixels);
  });
});

test("without ink there is no picture", () => {
  expect(pictureOf(inkOf(5, 4, new Uint8Array(20)))).toBeNull();
});

test("ink so faint that no mean is above 0 leaves the picture blank", () => {
  const values = new Uint8Array(4096 * 2);
  values[0] = values[values.length - 1] = 1;
  expect(pictureOf(inkOf(4096, 2, values))?.every((pixel) => pixel === 0)).toBe(true);
});

test("the box holds all ink and no more", () => {
  const values = new Uint8Array(7 * 9);
  values[2 * 7 + 3] = values[5 * 7 + 1] = 9;
  expect(boxOf(inkOf(7, 9, values))).toEqual({ left: 1, top: 2, width: 3, height: 4 });
});

test.each([
  [0, 5, 0],
  [5, 4097, 5 * 4097],
  [5, 5, 24],
])("ink of %i x %i with %i pixels is refused", (width, height, count) => {
  expect(() => inkOf(width, height, new Uint8Array(count))).toThrow(/^expected .*, got /);
});
