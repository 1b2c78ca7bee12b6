/** The page on three screens, light and dark; SCREENS=folder keeps the pictures (`npm run screens`). */

import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { SINGLE, start } from "./chromium.ts";
import { drawFive, drawNumber } from "./hand.ts";

const FOLDER = resolve(process.env.SCREENS ?? "generated/screens");
/** Pixels of the page that a README shows. */
const TOP = 1480;
const SCREENS = [
  { name: "wide", width: 1280, height: 900, locale: "en-GB" },
  { name: "tablet", width: 820, height: 1180, locale: "de-DE" },
  { name: "phone", width: 360, height: 740, locale: "en-GB" },
];

describe.each(SCREENS)("$name", ({ name, width, height, locale }) => {
  test.each(["light", "dark"] as const)(
    "%s: nothing is wider than the screen",
    async (colorScheme) => {
      const viewport = { width, height };
      const { context, stop } = await start({ viewport, colorScheme, locale });
      try {
        const page = await context.newPage();
        await page.goto(SINGLE);
        await drawFive(page);
        await drawNumber(page);
        await page.mouse.move(0, 0);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        mkdirSync(FOLDER, { recursive: true });
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: join(FOLDER, `${name}_${colorScheme}.png`), fullPage: true });
        const clip = {
          x: 0,
          y: 0,
          width,
          height: Math.min(TOP, await page.evaluate(() => document.body.scrollHeight)),
        };
        await page.screenshot({ path: join(FOLDER, `${name}_top_${colorScheme}.png`), fullPage: true, clip });
      } finally {
        await stop();
      }
    },
    60_000,
  );
});
