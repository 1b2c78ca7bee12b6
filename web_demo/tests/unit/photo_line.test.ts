import { describe, expect, test } from "vitest";
import type { Ink } from "../../src/core/ink.ts";
import { type FoundLine, findLine } from "../../src/core/photo_line.ts";
import { strings } from "./fixtures.ts";
import { LOOKS, likeness, pageOf } from "./pages.ts";

const [LINE] = strings.lines.filter(({ name }) => name === "eight");
const WHITE = LOOKS["dark on white"];

/** The golden line `times` as large in the middle of a page, each column lower by `slope`. */
const enlarged = (times: number, slope: number) => (x: number, y: number) => {
  const column = Math.floor(x / times - 20);
  const row = Math.floor((y - slope * x) / times - 24);
  const inside = column >= 0 && column < LINE.width && row >= 0 && row < 32;
  return inside ? LINE.pixels[row * LINE.width + column] / 255 : 0;
};

function lineOf(found: FoundLine): Ink {
  if (found.kind === "line") return found.line;
  throw new Error(`expected a line, got ${found.kind}`);
}

/** Returns the box of a line's ink. */
function inked({ width, values }: Pick<Ink, "width" | "values">) {
  const places = Array.from(values.keys()).filter((at) => values[at] > 100);
  const [xs, ys] = [places.map((at) => at % width), places.map((at) => Math.floor(at / width))];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, columns: Math.max(...xs) - left + 1, rows: Math.max(...ys) - top + 1 };
}

const GOLDEN = { width: LINE.width, values: Uint8Array.from(LINE.pixels) };
const BOX = inked(GOLDEN);

describe.each(Object.entries(LOOKS))("a line %s", (_, look) => {
  test.each([
    [3, 0],
    [5, 0],
    [4, 0.05],
    [4, -0.05],
  ])("%i times as large, with a slope of %f, is found levelled, 20 rows tall", (times, slope) => {
    const { width, values } = lineOf(
      findLine(pageOf((LINE.width + 40) * times, 90 * times, look, enlarged(times, slope))),
    );
    const box = inked({ width, values });
    // As much larger both ways, but for a pixel at each edge of some 20 rows.
    expect(Math.abs(box.columns / BOX.columns / (box.rows / BOX.rows) - 1)).toBeLessThan(2 / 20);
    const pairs = Array.from({ length: BOX.rows * BOX.columns }, (_, at) => {
      const [x, y] = [at % BOX.columns, Math.floor(at / BOX.columns)];
      const column = box.left + Math.floor((x * box.columns) / BOX.columns);
      const row = box.top + Math.floor((y * box.rows) / BOX.rows);
      return [values[row * width + column], GOLDEN.values[(BOX.top + y) * LINE.width + BOX.left + x]];
    });
    const [found, golden] = [pairs.map(([one]) => one), pairs.map(([, one]) => one)];
    // Strokes are thicker than in the golden line, and digits sit on other fractions of a pixel.
    expect(likeness(found, golden)).toBeGreaterThan(0.8);
  });
});

/** Ones of a height and a width, in pixels, side by side. */
const ones = (height: number, width: number) => (x: number, y: number) =>
  x >= 60 && x < 340 && x % 60 < width && Math.abs(y - 100) <= height / 2 ? 1 : 0;

test.each([2, 4, 8])("strokes of %i pixels become as wide as MNIST's at least", (width) => {
  const line = lineOf(findLine(pageOf(400, 200, WHITE, ones(100, width))));
  const row = line.values.subarray(16 * line.width, 17 * line.width);
  const share = row.reduce((sum, pixel) => sum + pixel, 0) / 255 / 5;
  expect(share).toBeGreaterThan(2);
  expect(share).toBeLessThan(3.2);
});

test("two lines, and none, are told", () => {
  const two = pageOf(400, 300, WHITE, (x, y) => ones(80, 8)(x, y < 150 ? y + 20 : y - 120));
  expect(findLine(two).kind).toBe("lines");
  expect(findLine(pageOf(200, 100, WHITE, () => 0)).kind).toBe("blank");
  expect(() => findLine(pageOf(500, 9, WHITE, () => 0))).toThrow(/^expected .*, got 500 x 9/);
});

test("a line with a speck, a dot and a rule far below is a line of its digits", () => {
  const dirty = (x: number, y: number) =>
    ones(100, 8)(x, y) || (y > 180 && y < 184) || Math.hypot(x - 150, y - 145) < 4 ? 1 : 0;
  const line = lineOf(findLine(pageOf(400, 200, WHITE, dirty)));
  const below = line.values.subarray(30 * line.width);
  expect(Math.max(...below)).toBeLessThan(128);
});
