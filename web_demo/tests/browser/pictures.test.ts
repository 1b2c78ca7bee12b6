/** Pictures that are chosen, dropped and pasted, and files that are none. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { SINGLE } from "./chromium.ts";
import { drawFive, drawNumber, ready } from "./hand.ts";
import { expectText, MINUTE, text, visit } from "./visit.ts";

const PICTURES = join(import.meta.dirname, "..", "..", "..", "tests", "data");
/** What a HEIC file begins with. */
const HEIC = Buffer.from("\0\0\0\x18ftypheic");

const visitSingle = (act: (page: Page) => Promise<void>) => visit(act, { url: SINGLE });

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

const picture = (name: string) => readFileSync(join(PICTURES, name));

test(
  "of one digit are read, whether dark or bright, small or in a shadow",
  () =>
    visitSingle(async (page) => {
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
    visitSingle(async (page) => {
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
        ["thin.png", "image/png", png(500, 9), /^The picture has 500 × 9 pixels\. Choose one of at least 8/],
        ["white.png", "image/png", png(90, 90), /^Nothing is written on the picture/],
        ["crowded-42.png", "image/png", picture("crowded-42.png"), /^The picture shows 2 separate figures/],
      ];
      for (const [name, type, content, wanted] of words) {
        await choose(page, name, type, content);
        await expectText(page, "problem", wanted);
      }
      await page.getByRole("button", { name: "Deutsch" }).click();
      await expectText(page, "problem", /^Das Bild zeigt 2 getrennte Zeichen/);
      await drawFive(page);
      expect(await page.locator("#problem").isVisible()).toBe(false);
    }),
  MINUTE,
);

test(
  "can be dropped and pasted",
  () =>
    visitSingle(async (page) => {
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
    visitSingle(async (page) => {
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
