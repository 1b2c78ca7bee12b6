/** Debian's Chromium without a screen, and the built page in it. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";
import { type PreviewServer, preview } from "vite";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** The single file. */
export const SINGLE = pathToFileURL(join(import.meta.dirname, "..", "..", "lenet-edge.html")).href;

/** Starts Chromium with a fresh profile; `flags`: more of its options. Close it with `stop`. */
export async function start(options: BrowserContextOptions = {}, flags: readonly string[] = []) {
  if (!existsSync(CHROMIUM)) throw new Error(`expected Chromium at ${CHROMIUM}, got no such file`);
  const profile = mkdtempSync(join(tmpdir(), "lenet-edge-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-quic", "--disable-background-networking", ...flags],
    ...options,
  });
  const stop = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, stop };
}

/** Serves dist/ on a free port of this machine; returns its address and the server to close. */
export async function serve(): Promise<{ address: string; server: PreviewServer }> {
  const server = await preview({ logLevel: "silent", preview: { port: 0, host: "127.0.0.1" } });
  const address = server.resolvedUrls?.local[0];
  if (!address) throw new Error("expected an address of the preview server, got none");
  return { address, server };
}

export type { BrowserContext };
