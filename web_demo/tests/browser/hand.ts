/** A hand for the tests: draws digits with the mouse, and waits for what the page reads. */

import type { Page } from "playwright-core";

type Stroke = readonly (readonly [number, number])[];

const arc = (x: number, y: number, r: number, from: number, to: number): Stroke =>
  Array.from({ length: 13 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / 12) * Math.PI) / 180;
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)] as const;
  });

/** Strokes of some digits, in a box of 1 x 1. */
const DIGITS: Readonly<Record<string, readonly Stroke[]>> = {
  1: [
    [
      [0.5, 0.08],
      [0.5, 0.92],
    ],
  ],
  2: [[...arc(0.5, 0.32, 0.24, 180, 360), [0.68, 0.5], [0.26, 0.92], [0.78, 0.92]]],
  5: [[[0.74, 0.08], [0.32, 0.08], [0.28, 0.45], ...arc(0.48, 0.66, 0.25, 250, 500)]],
  7: [
    [
      [0.22, 0.1],
      [0.78, 0.1],
      [0.42, 0.92],
    ],
  ],
};

/** Draws `digit` in the part of a canvas that begins at `left` and is as wide and high as `size`, in pixels. */
async function draw(page: Page, canvas: string, digit: string, left: number, top: number, size: number) {
  await page.locator(canvas).scrollIntoViewIfNeeded();
  const box = await page.locator(canvas).boundingBox();
  if (!box) throw new Error(`expected ${canvas} on the page, got none`);
  for (const stroke of DIGITS[digit]) {
    const places = stroke.map(([x, y]) => [box.x + left + x * size, box.y + top + y * size] as const);
    await page.mouse.move(...places[0]);
    await page.mouse.down();
    for (const place of places.slice(1)) await page.mouse.move(...place);
    await page.mouse.up();
  }
}

/** Waits until the page has opened its model. */
export async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() => document.getElementById("model")?.querySelector("option"));
  await page.waitForFunction(() => document.getElementById("runs")?.textContent?.includes("tflite"));
}

/** Draws one digit in the middle of the canvas. */
export async function drawDigit(page: Page, digit: string): Promise<void> {
  const box = await page.locator("#canvas").boundingBox();
  if (!box) throw new Error("expected a canvas on the page, got none");
  await draw(page, "#canvas", digit, 0.1 * box.width, 0.1 * box.height, 0.8 * box.width);
}

export async function drawFive(page: Page): Promise<void> {
  await ready(page);
  await drawDigit(page, "5");
  await page.waitForFunction(() => document.getElementById("read")?.textContent === "5");
}

/** Writes 2715 on the wide canvas and waits until that is read. */
export async function drawNumber(page: Page): Promise<void> {
  const box = await page.locator("#wide").boundingBox();
  if (!box) throw new Error("expected a wide canvas on the page, got none");
  const size = Math.min(0.8 * box.height, box.width / 4.6);
  for (const [i, digit] of ["2", "7", "1", "5"].entries()) {
    await draw(page, "#wide", digit, 0.05 * box.width + i * size * 1.05, (box.height - size) / 2, size);
  }
  await page.waitForFunction(() => document.getElementById("string")?.textContent === "2715");
}
