import { describe, expect, test } from "vitest";
import { CLASSES, type DigitString, decode, EMPTY } from "../../src/core/decoder.ts";
import { real } from "../../src/core/tensors.ts";
import { strings } from "./fixtures.ts";

/** Nine digits are written; 1 - p keeps 16 less those that p and 1 share. */
const DIGITS = 8;

function expectString(found: DigitString, wanted: DigitString) {
  expect(found.text).toBe(wanted.text);
  expect(found.probability).toBeCloseTo(wanted.probability, DIGITS);
  expect(found.digits.map((one) => one.digit)).toEqual(wanted.digits.map((one) => one.digit));
  found.digits.forEach((one, i) => {
    expect(one.probability).toBeCloseTo(wanted.digits[i].probability, DIGITS);
    expect(one.left).toBeCloseTo(wanted.digits[i].left, DIGITS - 2);
    expect(one.right).toBeCloseTo(wanted.digits[i].right, DIGITS - 2);
  });
}

describe("the golden lines are read as in Python", () => {
  test.each(strings.lines)("$name", ({ scores, read }) => {
    expectString(decode(scores.map((row) => real(row, strings.file.output))), read);
  });
});

describe("scores that are hard to decide are read as in Python", () => {
  test.each(strings.hard.map((one, i) => ({ i, ...one })))("string $i", ({ scores, read }) => {
    expectString(decode(scores), read);
  });
});

function rowsOf(answers: string, sure = 0.99): number[][] {
  return Array.from(answers, (answer) => {
    const row = new Array(CLASSES).fill((1 - sure) / EMPTY);
    row[answer === "." ? EMPTY : Number(answer)] = sure;
    return row;
  });
}

test.each([
  ["..11..", "1"],
  [".2.", "2"],
  ["..33.33..", "33"],
  ["..445566..", "456"],
  ["....", ""],
])("%s is read as %s", (answers, text) => {
  expect(decode(rowsOf(answers)).text).toBe(text);
});

test.each([
  ["no row", []],
  ["ten scores", [new Array(10).fill(0.1)]],
  ["NaN", [[...new Array(10).fill(0), Number.NaN]]],
  ["a score below 0", [[-0.5, 1.5, ...new Array(9).fill(0)]]],
  ["another sum", [new Array(11).fill(0.5)]],
])("%s is refused", (_, rows) => {
  expect(() => decode(rows)).toThrow(/^expected .*, got /);
});
