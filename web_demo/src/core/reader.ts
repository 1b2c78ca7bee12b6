/** Reads pictures with a file, once the runtime has shown on the golden pictures that it can be trusted. */

import { type Answer, answerOf } from "./answer.ts";
import { type Golden, type GoldenFile, judge, type Verdict } from "./golden.ts";
import { SIDE } from "./picture.ts";
import type { Backend, Model, Runtime } from "./runtime.ts";
import { middle, real, stored, type Values } from "./tensors.ts";

/** Why a backend does not run a file. */
export type Refusal =
  | { readonly why: "failed"; readonly words: string }
  | { readonly why: "fell back" }
  | { readonly why: "deviates"; readonly verdict: Verdict };

/** Not even WebAssembly gives answers that can be trusted. */
export class NoAnswer extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.why === "failed" ? refusal.words : refusal.why);
  }
}

/** An answer, the scores as the file stores them, and the milliseconds that the runtime took. */
export interface Reading {
  readonly answer: Answer;
  readonly stored: Values;
  readonly milliseconds: number;
}

/** An open file. Close it when it is no longer used. */
export class Reader {
  private constructor(
    private readonly model: Model,
    private readonly file: GoldenFile,
    /** What the golden pictures showed when it was opened. */
    readonly verdict: Verdict,
    /** What was asked for and does not run it, and why; null if it does. */
    readonly refusal: { readonly backend: Backend; readonly refusal: Refusal } | null,
  ) {}

  /**
   * Opens the file `name`, whose content is `bytes`, and checks it on the golden pictures.
   *
   * If WebGPU does not run it or deviates, WebAssembly runs it. Throws NoAnswer if that fails too.
   */
  static async open(
    runtime: Runtime,
    golden: Golden,
    name: string,
    bytes: Uint8Array,
    backend: Backend,
  ): Promise<Reader> {
    const file = golden.files[name];
    const tried = await trial(runtime, golden, file, bytes, backend);
    if (tried.trusted) return new Reader(tried.trusted, file, tried.verdict, null);
    if (backend === "wasm") throw new NoAnswer(tried.refusal);
    const second = await trial(runtime, golden, file, bytes, "wasm");
    if (!second.trusted) throw new NoAnswer(second.refusal);
    return new Reader(second.trusted, file, second.verdict, { backend, refusal: tried.refusal });
  }

  /** What runs it. */
  get ran(): Backend {
    return this.model.ran;
  }

  /** Reads a picture, 32 x 32 pixels row by row. */
  async read(picture: Uint8Array): Promise<Reading> {
    const start = performance.now();
    const values = await scoresOf(this.model, this.file, picture);
    const milliseconds = performance.now() - start;
    const answer = answerOf(real(values, this.file.output), this.file.unsure_below ?? 0);
    return { answer, stored: values, milliseconds };
  }

  close(): void {
    this.model.close();
  }
}

type Trial =
  | { readonly trusted: Model; readonly verdict: Verdict }
  | { readonly trusted: null; readonly refusal: Refusal };

async function trial(
  runtime: Runtime,
  golden: Golden,
  file: GoldenFile,
  bytes: Uint8Array,
  backend: Backend,
): Promise<Trial> {
  let model: Model | null = null;
  try {
    model = await runtime.open(bytes, [1, file.input.size, file.input.size, 1], backend);
    if (model.ran !== backend) return refused(model, { why: "fell back" });
    const verdict = judge(file, await goldenRows(model, golden, file));
    return verdict.outside ? refused(model, { why: "deviates", verdict }) : { trusted: model, verdict };
  } catch (error) {
    return refused(model, { why: "failed", words: wordsOf(error) });
  }
}

function refused(model: Model | null, refusal: Refusal): Trial {
  model?.close();
  return { trusted: null, refusal };
}

async function goldenRows(model: Model, golden: Golden, file: GoldenFile): Promise<Values[]> {
  const rows: Values[] = [];
  for (const { pixels } of golden.pictures) rows.push(await scoresOf(model, file, Uint8Array.from(pixels)));
  return rows;
}

/** Returns the scores of a picture as the file stores them. */
async function scoresOf(model: Model, file: GoldenFile, picture: Uint8Array): Promise<Values> {
  const outputs = await model.run(stored(middle(picture, SIDE, file.input.size), file.input));
  const [scores] = outputs.values();
  return scores;
}

/** Returns the first line of what an error says, without its full stop. */
export function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (
    message
      .split("\n")
      .find((line) => line.trim())
      ?.trim()
      .replace(/\.$/, "") ?? "no reason given"
  );
}
