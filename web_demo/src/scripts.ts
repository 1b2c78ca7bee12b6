/** What the page offers to scripts as `lenetEdge`, in the browser's console for example (docs/web.md). */

import type { Backend } from "./core/runtime.ts";
import type { Engine } from "./engine.ts";
import { type Pixels, reportOfFiles, scoresOf } from "./reports.ts";

export interface Scripts {
  /** Returns the names of the files that read one digit. */
  models(): Promise<string[]>;
  /** Returns the scores of pictures as the file `name` stores them. */
  read(name: string, pixels: Pixels, backend?: Backend): Promise<number[][]>;
  /** Reads the first test digits with each of `names`; returns a report for `lenet-edge parity --import`. */
  report(names: readonly string[], digits: Pixels): Promise<object>;
}

export function scriptsOf(started: Promise<Engine>): Scripts {
  return {
    models: async () => (await started).models,
    read: async (name, pixels, backend = "wasm") => {
      const { stored } = await scoresOf(await started, name, backend, pixels);
      return stored.map((row) => Array.from(row));
    },
    report: async (names, digits) =>
      reportOfFiles(await started, names, "wasm", { pictures: "test digits", pixels: digits }),
  };
}
