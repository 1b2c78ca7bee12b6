/** The lines of docs/web.md run as they stand there. */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { preview } from "vite";
import { expect, test } from "vitest";
import { golden } from "../unit/fixtures.ts";
import { start } from "./chromium.ts";

const HERE = join(import.meta.dirname, "..", "..");
const FOLDER = join(HERE, "generated", "docs");
const NAME = "lenet5_float32.tflite";

test("fifteen lines read a digit on somebody's own page", async () => {
  const text = readFileSync(join(HERE, "..", "docs", "web.md"), "utf8");
  const lines = /<!-- fifteen lines: begin -->\n```html\n([\s\S]*?)```\n/.exec(text)?.[1] ?? "";
  const code = lines.split("\n").filter((line) => line.trim() && !/^<|^\{/.test(line));
  expect(code.length).toBeGreaterThan(5);
  expect(code.length).toBeLessThanOrEqual(15);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "index.html"), `<!doctype html><body>${lines}</body>`);
  cpSync(join(HERE, "node_modules", "@litertjs"), join(FOLDER, "litert"), { recursive: true });
  cpSync(join(HERE, "..", "lenet_edge", "released", NAME), join(FOLDER, NAME));
  const server = await preview({
    configFile: false,
    logLevel: "silent",
    root: HERE,
    build: { outDir: FOLDER },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const { context, stop } = await start();
  try {
    const page = await context.newPage();
    await page.goto(server.resolvedUrls?.local[0] ?? "");
    await page.waitForFunction("window.read");
    const { scores, low, high } = golden.files[NAME];
    const digit = 7;
    const found = (await page.evaluate(
      (pixels) => (window as unknown as { read: (pixels: number[]) => Promise<number[]> }).read(pixels),
      [...golden.pictures[digit].pixels],
    )) as number[];
    expect(found).toHaveLength(scores[digit].length);
    found.forEach((score, i) => {
      expect(score).toBeGreaterThanOrEqual(low[digit][i] - 1e-8);
      expect(score).toBeLessThanOrEqual(high[digit][i] + 1e-8);
    });
  } finally {
    await stop();
    await server.close();
  }
}, 60_000);
