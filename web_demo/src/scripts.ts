/** What the page offers to scripts as `lenetEdge`, in the browser's console for example (docs/web.md). */

import { reportOf } from "./core/results.ts";
import type { Backend } from "./core/runtime.ts";
import type { Engine } from "./engine.ts";
import { versions } from "./versions.ts";

/** The scores of pictures as the file stores them, what really ran it, and how long it took. */
export interface Answers {
  readonly scores: readonly (readonly number[])[];
  readonly ran: Backend;
  readonly seconds: number;
}

/** Pictures of 1,024 pixels each, row by row, from 0 for paper to 255 for ink. */
export type Pictures = readonly ArrayLike<number>[];

export interface Scripts {
  /** The names of the files that read one digit. */
  models(): Promise<string[]>;
  /** Reads `pictures` with the file `name`. */
  read(name: string, pictures: Pictures, backend?: Backend): Promise<Answers>;
  /** Reads the first test digits with each of `names`; returns a report for `lenet-edge parity --import`. */
  report(names: readonly string[], digits: Pictures): Promise<object>;
}

export function scriptsOf(started: Promise<Engine>): Scripts {
  const read: Scripts["read"] = async (name, pictures, backend = "wasm") => {
    const reader = await (await started).reader(name, backend);
    try {
      const start = performance.now();
      const scores: number[][] = [];
      for (const pixels of pictures)
        scores.push(Array.from((await reader.read(Uint8Array.from(pixels))).stored));
      return { scores, ran: reader.ran, seconds: (performance.now() - start) / 1000 };
    } finally {
      reader.close();
    }
  };
  return {
    models: async () => (await started).models,
    read,
    report: async (names, digits) => {
      const { golden } = await started;
      const answers = [];
      for (const name of names) {
        const { scores, ran, seconds } = await read(name, digits);
        answers.push({
          name,
          file: golden.files[name],
          ran,
          pictures: "test digits" as const,
          stored: scores,
          seconds,
        });
      }
      const machine = { system: browser(), processors: navigator.hardwareConcurrency };
      return reportOf(new Date().toISOString(), versions, machine, answers);
    },
  };
}

/** Returns the browser's name and version as far as it says them, "Chrome/156.0.0.0" for example. */
function browser(): string {
  return /(Firefox|Edg|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? "a browser";
}
