/** The single file, from the disk with the network off: drawing, keyboard, languages, and old browsers. */

import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { SINGLE } from "./chromium.ts";
import { drawFive, drawNumber, ready } from "./hand.ts";
import { expectText, MINUTE, text, type Visit, visit } from "./visit.ts";

const offline: Visit = { url: SINGLE, before: (_, context) => context.setOffline(true) };

test("the single file is of 5 MB at most", () => {
  expect(statSync(fileURLToPath(SINGLE)).size).toBeLessThanOrEqual(5_000_000);
});

test(
  "reads a digit, a line and a language of choice, and asks the network for nothing",
  () =>
    visit(async (page) => {
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await drawFive(page);
      await drawNumber(page);
      expect(await text(page, "string")).toBe("2715");
      await expectText(page, "string-told", /^Read as 2 7 1 5, /);
      await page.getByRole("button", { name: "Deutsch" }).click();
      expect(await page.locator("html").getAttribute("lang")).toBe("de");
      expect(await text(page, "digit-title")).toBe("Zeichne eine Ziffer");
      await expectText(page, "told", /^Gelesen als 5, /);
      await page.reload();
      expect(await text(page, "digit-title")).toBe("Zeichne eine Ziffer");
      expect(asked.filter((url) => /^https?:/.test(url))).toEqual([]);
    }, offline),
  MINUTE,
);

test(
  "shows what each layer gives, and what a map is connected to",
  () =>
    visit(async (page) => {
      await drawFive(page);
      const colours = () =>
        page.locator(".layer canvas").evaluateAll((canvases) =>
          canvases.map((canvas) => {
            const { width, height } = canvas as HTMLCanvasElement;
            const pixels = (canvas as HTMLCanvasElement)
              .getContext("2d")
              ?.getImageData(0, 0, width, height).data;
            return new Set(new Uint32Array(pixels?.buffer ?? new ArrayBuffer(0))).size;
          }),
        );
      // 6 + 6 + 16 + 16 maps, C5, F6, and ten bitmaps of two colours.
      await expect.poll(async () => (await colours()).filter((count) => count > 2).length).toBe(46);
      expect((await colours()).slice(-10)).toEqual(new Array(10).fill(2));
      expect(await page.locator(".distances .best b").textContent()).toBe("5");
      await page.locator("[data-layer=C3] .map").nth(5).hover();
      const marked = (layer: string) =>
        page
          .locator(`[data-layer=${layer}] .map`)
          .evaluateAll((maps) => maps.flatMap((map, i) => (map.classList.contains("marked") ? [i] : [])));
      expect(await marked("S2")).toEqual([0, 1, 5]);
      await page.locator("[data-layer=S2] .map").nth(0).focus();
      expect(await marked("C3")).toEqual([0, 4, 5, 6, 9, 10, 11, 12, 14, 15]);
      await page.keyboard.press("ArrowRight");
      expect(await marked("S2")).toEqual([1]);
      await page.keyboard.press("Tab");
      expect(await marked("C3")).toEqual([0]);
      await page.getByRole("radio", { name: "Average pooling" }).check({ force: true });
      await expect.poll(() => page.locator("[data-layer=S2] .size").textContent()).toMatch(/no weights/);
      expect(await page.locator(".table-one").count()).toBe(0);
      await expect.poll(() => page.locator(".distances .best b").textContent()).toBe("5");
    }, offline),
  MINUTE,
);

test(
  "is drawn on with a finger, and does not scroll meanwhile",
  () =>
    visit(
      async (page, context) => {
        await ready(page);
        const box = await page.locator("#canvas").boundingBox();
        if (!box) throw new Error("expected a canvas, got none");
        const finger = await context.newCDPSession(page);
        const touch = (type: "touchStart" | "touchMove" | "touchEnd", y: number) =>
          finger.send("Input.dispatchTouchEvent", {
            type,
            touchPoints: type === "touchEnd" ? [] : [{ x: box.x + box.width / 2, y: box.y + y * box.height }],
          });
        await touch("touchStart", 0.9);
        for (const y of [0.7, 0.5, 0.3, 0.1]) await touch("touchMove", y);
        await touch("touchEnd", 0);
        await expectText(page, "told", /^(Read as|Unsure, perhaps) 1, /);
        expect(await page.evaluate(() => scrollY)).toBe(0);
      },
      { ...offline, hasTouch: true, viewport: { width: 360, height: 740 } },
    ),
  MINUTE,
);

test(
  "is drawn on with the keyboard",
  () =>
    visit(async (page) => {
      await ready(page);
      await page.locator("#canvas").focus();
      for (const key of [...new Array(3).fill("ArrowRight"), " ", ...new Array(15).fill("ArrowDown"), " "]) {
        await page.keyboard.press(key);
      }
      await expectText(page, "told", /^(Read as|Unsure, perhaps) 1, /);
      expect(await page.locator("#canvas").getAttribute("aria-label")).toBe("Canvas with a drawing.");
      await page.keyboard.press("Delete");
      expect(await page.locator("#canvas").getAttribute("aria-label")).toBe("Canvas, empty. Draw a digit.");
    }, offline),
  MINUTE,
);

test(
  "goes on when a stroke leaves the canvas, and when nothing can be stored",
  () =>
    visit(
      async (page) => {
        await ready(page);
        const box = await page.locator("#canvas").boundingBox();
        if (!box) throw new Error("expected a canvas, got none");
        await page.mouse.move(box.x + 20, box.y + 20);
        await page.mouse.down();
        await page.mouse.move(box.x - 500, box.y + 4000);
        await page.mouse.up();
        await expectText(page, "told", /^(Read as|Unsure)/);
        await page.locator("#undo").click();
        await page.getByRole("button", { name: "Deutsch" }).click();
        await page.getByRole("button", { name: "English" }).click();
        await drawFive(page);
      },
      {
        url: SINGLE,
        before: (page) =>
          page.addInitScript(() => {
            Object.defineProperty(window, "localStorage", {
              get: () => {
                throw new DOMException("denied", "SecurityError");
              },
            });
          }),
      },
    ),
  MINUTE,
);

test.each([
  ["SIMD", "WebAssembly.validate = () => false"],
  ["WebAssembly", "delete globalThis.WebAssembly"],
])(
  "without %s says so",
  (_, script) =>
    visit((page) => expectText(page, "problem", /^This browser has no WebAssembly SIMD/), {
      url: SINGLE,
      before: (page) => page.addInitScript(script),
    }),
  MINUTE,
);

test(
  "names everything that can be used, in both languages",
  () =>
    visit(async (page) => {
      await ready(page);
      const names = () =>
        page.locator("button, select, input, canvas[role], ol, nav, section, table").evaluateAll((all) =>
          all.map((one) => {
            const labelled = document.getElementById(one.getAttribute("aria-labelledby") ?? "");
            const label =
              one instanceof HTMLInputElement || one instanceof HTMLSelectElement ? one.labels?.[0] : one;
            return (one.ariaLabel ?? labelled?.textContent ?? label?.textContent ?? "").trim();
          }),
        );
      const english = await names();
      expect(english).not.toContain("");
      await page.getByRole("button", { name: "Deutsch" }).click();
      const german = await names();
      expect(german).not.toContain("");
      const same = english.filter((name, i) => german[i] === name);
      // The names of languages and nets are those of both.
      expect(same).toEqual(["English", "Deutsch"]);
    }, offline),
  MINUTE,
);

test(
  "without JavaScript says so",
  () =>
    visit(async (page) => expect(await text(page, "notice")).toMatch(/needs JavaScript modules/), {
      url: SINGLE,
      javaScriptEnabled: false,
    }),
  MINUTE,
);

test(
  "moves nothing where motion is to be reduced",
  () =>
    visit(
      async (page) => {
        const fill = page.locator("#bars .fill").first();
        expect(await fill.evaluate((one) => getComputedStyle(one).transitionDuration)).toBe("0s");
      },
      { url: SINGLE, reducedMotion: "reduce" },
    ),
  MINUTE,
);
