/** A visit to the page in a fresh Chromium, and what stands on the page. */

import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { start } from "./chromium.ts";

/** Milliseconds that a visit may take. */
export const MINUTE = 60_000;

/** Opens a page in a fresh Chromium, lets `act` use it, and checks that no script failed. */
export async function visit(
  act: (page: Page, context: BrowserContext) => Promise<void>,
  { url, before = async () => undefined, ...options }: Visit,
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

export interface Visit extends BrowserContextOptions {
  readonly url: string;
  readonly before?: (page: Page, context: BrowserContext) => Promise<unknown>;
}

export const text = (page: Page, id: string) => page.locator(`#${id}`).textContent();

export async function expectText(page: Page, id: string, wanted: RegExp): Promise<void> {
  await expect.poll(() => text(page, id), { timeout: 10_000 }).toMatch(wanted);
}
