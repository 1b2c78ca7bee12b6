import { expect, test } from "vitest";
import { median } from "../../src/core/median.ts";

test.each([
  [[5], 5],
  [[9, 1, 2], 2],
  [[10, 1, 3, 2], 2.5],
])("the median of %j is %f", (values, wanted) => {
  expect(median(values)).toBe(wanted);
});
