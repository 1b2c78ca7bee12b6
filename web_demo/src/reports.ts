/** What the page's files answer, as a report for `lenet-edge parity --import` and `benchmark --compare`. */

import { type FileAnswers, reportOf } from "./core/results.ts";
import type { Backend } from "./core/runtime.ts";
import type { Engine } from "./engine.ts";
import { versions } from "./versions.ts";

/** Pictures of 1,024 pixels each, row by row, from 0 for paper to 255 for ink. */
export type Pixels = readonly ArrayLike<number>[];

/** The scores of pictures as the file stores them, what really ran it, and how long it took. */
export interface Scores {
  readonly stored: readonly ArrayLike<number>[];
  readonly ran: Backend;
  readonly seconds: number;
}

/** Reads `pixels` with the file `name`; throws NoAnswer, or Error for a damaged file. */
export async function scoresOf(
  engine: Engine,
  name: string,
  backend: Backend,
  pixels: Pixels,
): Promise<Scores> {
  const reader = await engine.reader(name, backend);
  try {
    const start = performance.now();
    const stored: ArrayLike<number>[] = [];
    for (const picture of pixels) stored.push((await reader.read(Uint8Array.from(picture))).stored);
    return { stored, ran: reader.ran, seconds: (performance.now() - start) / 1000 };
  } finally {
    reader.close();
  }
}

/** Reads the golden pictures, or the first test digits, with each of `names`; returns the report. */
export async function reportOfFiles(
  engine: Engine,
  names: readonly string[],
  backend: Backend,
  { pictures, pixels }: { readonly pictures: FileAnswers["pictures"]; readonly pixels: Pixels },
): Promise<object> {
  const answers: FileAnswers[] = [];
  for (const name of names) {
    const scores = await scoresOf(engine, name, backend, pixels);
    answers.push({ name, file: engine.golden.files[name], pictures, ...scores });
  }
  const machine = { system: browser(), processors: navigator.hardwareConcurrency };
  return reportOf(new Date().toISOString(), versions, machine, answers);
}

/** Returns the browser's name and version as far as it says them, "Chrome/156.0.0.0" for example. */
function browser(): string {
  return /(Firefox|Edg|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? "a browser";
}
