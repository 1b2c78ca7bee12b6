import { expect, test } from "vitest";
import { inkOf } from "../../src/core/ink.ts";
import { lineOfStrokes } from "../../src/core/line.ts";
import type { Model } from "../../src/core/runtime.ts";
import { type GoldenStrings, StringReader } from "../../src/core/strings.ts";
import { inkOfStrokes, type Strokes } from "../../src/core/strokes.ts";
import { strings } from "./fixtures.ts";

const upright = (x: number, top: number, bottom: number) => [
  { x, y: top },
  { x, y: bottom },
];

function inked(values: Uint8Array, width: number): [number, number] {
  const rows = Array.from({ length: values.length / width }, (_, row) =>
    values.subarray(row * width, (row + 1) * width).some((pixel) => pixel > 127),
  );
  return [rows.indexOf(true), rows.lastIndexOf(true) + 1];
}

test.each([0.2, 1, 3])("ones of height %f on the canvas are 20 rows tall in the middle", (height) => {
  const strokes: Strokes = [0, 1, 2].map((i) => upright(i * height, 5, 5 + height));
  const line = lineOfStrokes(strokes);
  expect(line?.height).toBe(32);
  expect(inked(line?.values ?? new Uint8Array(), line?.width ?? 1)).toEqual([6, 26]);
});

test("a bar does not count for the size", () => {
  const plain = lineOfStrokes([upright(0, 0, 1), upright(1, 0, 1)]);
  const dotted = lineOfStrokes([
    upright(0, 0, 1),
    upright(1, 0, 1),
    upright(2, 0.45, 0.55),
    upright(3, 0.45, 0.55),
  ]);
  expect(inked(dotted?.values ?? new Uint8Array(), dotted?.width ?? 1)).toEqual(
    inked(plain?.values ?? new Uint8Array(), plain?.width ?? 1),
  );
});

test("a line however long stays below 1,024 columns, and a dot is drawn", () => {
  const long = lineOfStrokes(Array.from({ length: 300 }, (_, i) => upright(i, 0, 1)));
  expect(long?.width).toBeLessThanOrEqual(1024);
  const dot = lineOfStrokes([[{ x: 3, y: 4 }]]);
  expect(Math.max(...(dot?.values ?? []))).toBe(255);
  expect(lineOfStrokes([])).toBeNull();
});

test("a drawing's pen is as wide as MNIST's however large it is drawn", () => {
  const widths = [0.3, 1, 2].map((height) => {
    const ink = inkOfStrokes([upright(0, 0, height)]);
    const row = ink?.values.subarray(60 * ink.width, 61 * ink.width) ?? [];
    return Array.from(row).filter((pixel) => pixel > 127).length;
  });
  expect(new Set(widths).size).toBe(1);
  expect(widths[0] / 6).toBeCloseTo(2.8, 0);
  expect(inkOfStrokes([])).toBeNull();
});

/** A wide net that gives the golden scores of whatever golden piece it sees. */
function wideNet(golden: GoldenStrings, spoil = 0): Model {
  const windows = (golden.file.columns - 32) / 4 + 1;
  const known = new Map<string, number[]>();
  for (const { width, pixels, scores } of golden.lines) {
    for (let first = 0; first < scores.length; first += windows) {
      const piece = Array.from({ length: 32 * golden.file.columns }, (_, at) => {
        const x = 4 * first - 16 + (at % golden.file.columns);
        return x >= 0 && x < width ? pixels[Math.floor(at / golden.file.columns) * width + x] : 0;
      });
      const rows = scores.slice(first, first + windows).flat();
      known.set(piece.join(), [...rows, ...new Array(windows * 11 - rows.length).fill(0)]);
    }
  }
  return {
    ran: "wasm",
    run: async (input) =>
      new Map([["scores", Uint8Array.from(known.get(Array.from(input).join()) ?? [], (s) => s + spoil)]]),
    close: () => undefined,
  };
}

test("a line wider than the file is read in pieces, to the golden string", async () => {
  const runtime = { open: async () => wideNet(strings) };
  const reader = await StringReader.open(runtime, strings, new Uint8Array());
  for (const { width, pixels, read } of strings.lines) {
    const { string, sure } = await reader.read(inkOf(width, 32, Uint8Array.from(pixels)));
    expect([string.text, sure]).toEqual([read.text, read.probability >= strings.file.unsure_below]);
    expect(string.digits[0].left).toBeCloseTo(Math.max(0, read.digits[0].left - 16), 6);
    expect(Math.max(...string.digits.map((digit) => digit.right))).toBeLessThanOrEqual(width);
  }
});

test("a wide net outside the golden limits is refused by the lines' names", async () => {
  const runtime = { open: async () => wideNet(strings, 9) };
  await expect(StringReader.open(runtime, strings, new Uint8Array())).rejects.toThrow(
    "expected scores within their limits, got others for three, pair, one, eight",
  );
});
