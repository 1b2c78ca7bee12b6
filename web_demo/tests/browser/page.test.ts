/** The page as people use it: drawing, pictures, keyboard, languages, and what goes wrong. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { crc32, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import type { PreviewServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SINGLE, serve, start } from "./chromium.ts";
import { drawDigit, drawFive, drawNumber, ready } from "./hand.ts";

const PICTURES = join(import.meta.dirname, "..", "..", "..", "tests", "data");
const FROM_DISK = pathToFileURL(join(import.meta.dirname, "..", "..", "dist", "index.html")).href;
/** The page's saved answers, for `make web-test`. */
const SAVED = join(import.meta.dirname, "..", "..", "generated", "saved.json");
/** What a HEIC file begins with. */
const HEIC = Buffer.from("\0\0\0\x18ftypheic");
const MINUTE = 60_000;

let address: string;
let server: PreviewServer;

beforeAll(async () => {
  ({ address, server } = await serve());
});
afterAll(() => server.close());

/** Opens a page in a fresh Chromium, lets `act` use it, and checks that no script failed. */
async function visit(
  act: (page: Page, context: BrowserContext) => Promise<void>,
  { url = address, before = async () => undefined, ...options }: Visit = {},
): Promise<void> {
  const { context, stop } = await start({ locale: "en-GB", ...options });
  try {
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await before(page, context);
    await page.goto(url);
    await act(page, context);
    expect(errors).toEqual([]);
  } finally {
    await stop();
  }
}

interface Visit extends BrowserContextOptions {
  readonly url?: string;
  readonly before?: (page: Page, context: BrowserContext) => Promise<unknown>;
}

const text = (page: Page, id: string) => page.locator(`#${id}`).textContent();

async function expectText(page: Page, id: string, wanted: RegExp): Promise<void> {
  await expect.poll(() => text(page, id), { timeout: 10_000 }).toMatch(wanted);
}

/** Chooses a file as if from a folder, in one of the page's two inputs. */
async function choose(page: Page, name: string, mimeType: string, buffer: Buffer, input = "file") {
  await page.locator(`#${input}`).setInputFiles({ name, mimeType, buffer });
}

/** Drops a picture on the element `id`, or pastes it into what has the focus; null: a text and no picture. */
async function send(page: Page, kind: "drop" | "paste", picture: Buffer | null, id = "digit"): Promise<void> {
  await page.evaluate(
    ([event, content, target]) => {
      const data = new DataTransfer();
      if (content === undefined) data.setData("text/plain", "seven");
      else {
        const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
        data.items.add(new File([bytes], "picture.png", { type: "image/png" }));
      }
      const options = { bubbles: true, cancelable: true };
      const place = event === "drop" ? document.getElementById(target) : document.activeElement;
      place?.dispatchEvent(
        event === "drop"
          ? new DragEvent("drop", { ...options, dataTransfer: data })
          : new ClipboardEvent("paste", { ...options, clipboardData: data }),
      );
    },
    [kind, picture?.toString("base64"), id] as const,
  );
}

/** Returns a file's content, however the server sent it. */
function inflated(body: Buffer): Buffer {
  return body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
}

/** Returns a PNG of one bit a pixel, white. */
function png(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(Math.ceil(width / 8), 255)]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("IDAT", pixels),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

describe("served from a folder", () => {
  test(
    "a drawn digit is read, with ten bars, by the model of choice, which passes its check",
    () =>
      visit(async (page) => {
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
      visit(
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
      visit(
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
      visit((page) => drawFive(page), {
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
      visit(async (page) => {
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
      visit(async (page) => {
        await ready(page);
        expect(await page.locator("#backend option[value=webgpu]").isDisabled()).toBe(true);
        expect(await text(page, "graphics")).toMatch(/^WebGPU is not offered: /);
      }),
    MINUTE,
  );
});

test("the single file is of 5 MB at most", () => {
  expect(statSync(fileURLToPath(SINGLE)).size).toBeLessThanOrEqual(5_000_000);
});

describe("the single file, with the network off", () => {
  const offline = { url: SINGLE, before: (_: Page, context: BrowserContext) => context.setOffline(true) };

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
    "is drawn on with the keyboard",
    () =>
      visit(async (page) => {
        await ready(page);
        await page.locator("#canvas").focus();
        for (const key of [
          ...new Array(3).fill("ArrowRight"),
          " ",
          ...new Array(15).fill("ArrowDown"),
          " ",
        ]) {
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
});

describe("pictures", () => {
  const picture = (name: string) => readFileSync(join(PICTURES, name));

  test(
    "of one digit are read, whether dark or bright, small or in a shadow",
    () =>
      visit(async (page) => {
        await ready(page);
        for (const name of [
          "0-ballpoint.png",
          "1-felt-tip.png",
          "3-shadow.jpg",
          "8-chalk.png",
          "9-large.jpg",
        ]) {
          await choose(page, name, name.endsWith("png") ? "image/png" : "image/jpeg", picture(name));
          await expect.poll(() => text(page, "read"), { message: name }).toBe(name[0]);
          expect(await page.locator("#problem").isVisible(), name).toBe(false);
        }
      }),
    MINUTE,
  );

  test(
    "that are none are told in a sentence, and the page goes on",
    () =>
      visit(async (page) => {
        await ready(page);
        const words: [string, string, Buffer, RegExp][] = [
          [
            "notes.txt",
            "text/plain",
            Buffer.from("seven"),
            /^notes.txt is no picture that this browser can read/,
          ],
          ["photo.heic", "image/heic", HEIC, /^This browser cannot read HEIC/],
          ["photo.jpg", "image/jpeg", HEIC, /^This browser cannot read HEIC/],
          [
            "large.png",
            "image/png",
            png(8000, 6300),
            /^The picture has 50 megapixels\. Choose one of 40 at most/,
          ],
          [
            "thin.png",
            "image/png",
            png(500, 9),
            /^The picture has 500 × 9 pixels\. Choose one of at least 8/,
          ],
          ["white.png", "image/png", png(90, 90), /^Nothing is written on the picture/],
          ["crowded-42.png", "image/png", picture("crowded-42.png"), /^The picture shows 2 separate figures/],
        ];
        for (const [name, type, content, wanted] of words) {
          await choose(page, name, type, content);
          await expectText(page, "problem", wanted);
        }
        await page.getByRole("button", { name: "Deutsch" }).click();
        await expectText(page, "problem", /^Das Bild zeigt 2 getrennte Figuren/);
        await drawFive(page);
        expect(await page.locator("#problem").isVisible()).toBe(false);
      }),
    MINUTE,
  );

  test(
    "can be dropped and pasted",
    () =>
      visit(async (page) => {
        await ready(page);
        await send(page, "drop", picture("8-chalk.png"));
        await expectText(page, "read", /^8$/);
        await send(page, "paste", picture("0-ballpoint.png"));
        await expectText(page, "read", /^0$/);
        for (const kind of ["drop", "paste"] as const) {
          await send(page, kind, null);
          await expectText(page, "problem", /^That was no file/);
        }
        await page.locator("#example").click();
        await expectText(page, "read", /^5$/);
      }),
    MINUTE,
  );

  test(
    "of a line are read on the wide canvas: chosen, dropped there, or pasted with the focus there",
    () =>
      visit(async (page) => {
        await ready(page);
        const clear = async () => {
          await page.locator("#wide-clear").click();
          await expectText(page, "string", /^–$/);
        };
        await choose(page, "crowded-42.png", "image/png", picture("crowded-42.png"), "wide-file");
        await expectText(page, "string", /^42$/);
        await clear();
        await send(page, "drop", picture("crowded-42.png"), "wide");
        await expectText(page, "string", /^42$/);
        await clear();
        await page.locator("#wide").focus();
        await send(page, "paste", picture("crowded-42.png"));
        await expectText(page, "string", /^42$/);
        expect(await text(page, "read")).toBe("–");
        await choose(page, "white.png", "image/png", png(90, 90), "wide-file");
        await expectText(page, "string-problem", /^Nothing is written on the picture/);
        await clear();
        expect(await page.locator("#string-problem").isVisible()).toBe(false);
        await drawNumber(page);
      }),
    MINUTE,
  );
});
