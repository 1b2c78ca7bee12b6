/** The page as a folder on a web server: models, checks, and what the server may do wrong. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import type { PreviewServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serve } from "./chromium.ts";
import { drawDigit, drawFive, ready } from "./hand.ts";
import { expectText, MINUTE, text, type Visit, visit } from "./visit.ts";

const FROM_DISK = pathToFileURL(join(import.meta.dirname, "..", "..", "dist", "index.html")).href;
/** The page's saved answers, for `make web-test`. */
const SAVED = join(import.meta.dirname, "..", "..", "generated", "saved.json");

let address: string;
let server: PreviewServer;

beforeAll(async () => {
  ({ address, server } = await serve());
});
afterAll(() => server.close());

/** Visits the served folder. */
const visitServed = (act: (page: Page) => Promise<void>, options: Omit<Visit, "url"> = {}) =>
  visit(act, { url: address, ...options });

/** Returns a file's content, however the server sent it. */
function inflated(body: Buffer): Buffer {
  return body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
}

test(
  "a drawn digit is read, with ten bars, by the model of choice, which passes its check",
  () =>
    visitServed(async (page) => {
      await drawFive(page);
      expect(await page.locator("#bars .best b").textContent()).toBe("5");
      expect(await page.locator("#bars .bar").count()).toBe(10);
      await expectText(page, "told", /^Read as 5, 9\d/);
      expect(await text(page, "runs")).toMatch(
        /^WebAssembly runs lenet5_float32.tflite\. [\d.]+ ms a picture/,
      );
      const models = await page.locator("#model option").allInnerTexts();
      expect(models.sort()).toEqual(
        ["dynamic", "float16", "float32", "int8", "int8_qat"].map((one) => `lenet5_${one}.tflite`),
      );
      await page.locator("#model").selectOption("lenet5_int8_qat.tflite");
      await expectText(page, "runs", /lenet5_int8_qat.tflite/);
      await page.locator("#check").click();
      await expectText(page, "checked", /^Passed: all 23 pictures are within their limits, 23 equal/);
      expect(await text(page, "read")).toBe("5");
      await page.locator("#clear").click();
      expect(await text(page, "read")).toBe("–");
    }),
  MINUTE,
);

test(
  "a damaged model is told, and another one is read with",
  () =>
    visitServed(
      async (page) => {
        await drawFive(page);
        await page.locator("#model").selectOption("lenet5_int8.tflite");
        await expectText(
          page,
          "problem",
          /^lenet5_int8.tflite could not be opened: lenet5_int8.tflite is damaged, or is not the file that was tested\.$/,
        );
        await page.locator("#model").selectOption("lenet5_int8_qat.tflite");
        await expect.poll(() => page.locator("#problem").isVisible()).toBe(false);
        await drawDigit(page, "1");
        await expectText(page, "runs", /int8_qat/);
      },
      {
        before: (page) =>
          page.route("**/lenet5_int8.tflite.gz", async (route) => {
            const content = inflated(await (await route.fetch()).body());
            content[content.length >> 1] ^= 1;
            await route.fulfill({ body: gzipSync(content) });
          }),
      },
    ),
  MINUTE,
);

test(
  "a runtime that does not come is told",
  () =>
    visitServed(
      (page) =>
        expectText(
          page,
          "problem",
          /^The net could not be loaded: the server has no litert.wasm \(status 404\)\.$/,
        ),
      {
        before: (page) => page.route("**/litert.wasm.gz", (route) => route.fulfill({ status: 404 })),
      },
    ),
  MINUTE,
);

test.each([
  ["as it is", (content: Buffer) => gzipSync(content)],
  ["so that the browser inflates it", (content: Buffer) => content],
])(
  "a .gz file may come %s",
  (_, sent) =>
    visitServed((page) => drawFive(page), {
      before: (page) =>
        page.route("**/*.gz", async (route) => {
          await route.fulfill({ body: sent(inflated(await (await route.fetch()).body())) });
        }),
    }),
  MINUTE,
);

test(
  "opened from the disk, where browsers block modules, it says so",
  () =>
    visit(async (page) => expect(await text(page, "notice")).toMatch(/needs JavaScript modules/), {
      url: FROM_DISK,
    }),
  MINUTE,
);

test(
  "the answers are saved, for lenet-edge parity --import",
  () =>
    visitServed(async (page) => {
      await ready(page);
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#save").click()]);
      await download.saveAs(SAVED);
      await expectText(
        page,
        "checked",
        /^Saved as lenet-edge-browser\.json: the scores of 5 models for 23 pictures/,
      );
      const { format, answers } = JSON.parse(readFileSync(SAVED, "utf8"));
      expect(format).toBe("lenet-edge benchmark");
      expect(answers.map((one: { scores: unknown[] }) => one.scores.length)).toEqual(new Array(5).fill(23));
    }),
  MINUTE,
);

test(
  "without WebGPU it is not offered, and says why",
  () =>
    visitServed(async (page) => {
      await ready(page);
      expect(await page.locator("#backend option[value=webgpu]").isDisabled()).toBe(true);
      expect(await text(page, "graphics")).toMatch(/^WebGPU is not offered: /);
    }),
  MINUTE,
);
