/** WebGPU on Chromium's own software driver: what it runs, and what it leaves to WebAssembly. */

import { expect, test } from "vitest";
import { SINGLE, start } from "./chromium.ts";
import { drawFive } from "./hand.ts";

const SOFTWARE = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

test("WebGPU runs float32 within the golden limits; int8 is told to run in WebAssembly, and why", async () => {
  const { context, stop } = await start({ locale: "en-GB" }, SOFTWARE);
  try {
    const page = await context.newPage();
    await page.goto(SINGLE);
    await drawFive(page);
    const runs = () => page.locator("#runs").textContent();
    await page.locator("#backend").selectOption("webgpu");
    await expect
      .poll(runs, { timeout: 60_000 })
      .toMatch(/^WebGPU runs lenet5_float32.tflite\. [\d.]+ ms a picture\.$/);
    expect(await page.locator("#read").textContent()).toBe("5");
    await page.locator("#model").selectOption("lenet5_int8.tflite");
    await expect
      .poll(runs, { timeout: 60_000 })
      .toMatch(/^WebAssembly runs lenet5_int8.tflite\. [\d.]+ ms a picture\. WebGPU does not run it: .+/);
    expect(await page.locator("#read").textContent()).toBe("5");
    expect(await page.locator("#problem").isVisible()).toBe(false);
  } finally {
    await stop();
  }
}, 150_000);
