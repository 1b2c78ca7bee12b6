/** A report that `lenet-edge parity --import` and `lenet-edge benchmark --compare` read (docs/benchmark.md). */

import type { GoldenFile, StoredRows } from "./golden.ts";
import type { Backend } from "./runtime.ts";

/** The browser that gave the answers. */
export interface Machine {
  readonly system: string;
  readonly processors: number;
}

/** The scores of `file`, a row for each picture, as `ran` gave them in all in `seconds`. */
export interface FileAnswers {
  readonly name: string;
  readonly file: GoldenFile;
  readonly ran: Backend;
  readonly pictures: "golden" | "test digits";
  readonly stored: StoredRows;
  readonly seconds: number;
}

/** Returns the report; `date`: ISO 8601; `versions`: those of lenet-edge's page and of LiteRT.js. */
export function reportOf(
  date: string,
  versions: Readonly<Record<"lenet-edge" | "LiteRT.js", string>>,
  machine: Machine,
  answers: readonly FileAnswers[],
): object {
  const files = answers.map(({ name, file }) => [name, { sha256: file.sha256, bytes: file.bytes }]);
  return {
    format: "lenet-edge benchmark",
    schema: 1,
    date,
    command: ["lenet-edge web demo"],
    versions,
    // A browser does not say which processor it runs on.
    machine: { system: machine.system, architecture: "", processor: "", processors: machine.processors },
    models: Object.fromEntries(files),
    results: [],
    failures: [],
    profiles: [],
    answers: answers.map((one) => answer(one, versions["LiteRT.js"])),
  };
}

function answer({ name, file, ran, pictures, stored, seconds }: FileAnswers, version: string): object {
  const { type, scale = 0, zero_point = 0 } = file.output;
  return {
    model: name,
    runtime: `LiteRT.js, ${ran === "webgpu" ? "WebGPU" : "WebAssembly"}`,
    version,
    asked: "auto",
    // LiteRT.js does not say how many operators a delegate of its own took.
    delegate: "",
    reason: "",
    taken: 0,
    nodes: 0,
    threads: 1,
    seconds,
    pictures,
    type,
    scale,
    zero_point,
    scores: stored.map((row) => Array.from(row, (score) => (type === "float32" ? written(score) : score))),
  };
}

/** Returns the nine digits that tell a float32 from every other; JSON has no NaN, and no limit admits one. */
function written(score: number): number | null {
  return Number.isFinite(score) ? Number(score.toPrecision(9)) : null;
}
