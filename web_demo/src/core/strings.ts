/** Reads a line of any width with the wide net, whose file has a fixed width: piece by piece. */

import { CLASSES, type DigitString, decode, FIELD, STEP } from "./decoder.ts";
import { isWithin, type TensorEnd } from "./golden.ts";
import { type Ink, inkOf } from "./ink.ts";
import type { Model, Runtime } from "./runtime.ts";
import { real, stored } from "./tensors.ts";

/** Empty columns added on each side, so that a digit at the very edge is in the middle of a window. */
const MARGIN = FIELD / 2;
const PIXELS: TensorEnd = { type: "uint8" };

/** A line of digits, what each window gives as the file stores it, and the string that it is read as. */
export interface GoldenLine {
  readonly name: string;
  readonly width: number;
  readonly pixels: readonly number[];
  readonly scores: readonly (readonly number[])[];
  readonly low: readonly (readonly number[])[];
  readonly high: readonly (readonly number[])[];
  readonly read: DigitString;
}

/** strings.json. */
export interface GoldenStrings {
  readonly file: {
    readonly name: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly unsure_below: number;
    readonly columns: number;
    readonly output: TensorEnd;
  };
  readonly lines: readonly GoldenLine[];
  readonly hard: readonly { readonly scores: readonly (readonly number[])[]; readonly read: DigitString }[];
}

/** A string and whether its probability reaches the file's threshold; its columns are those of the line. */
export interface StringReading {
  readonly string: DigitString;
  readonly sure: boolean;
  readonly milliseconds: number;
}

/** The open wide net. */
export class StringReader {
  private constructor(
    private readonly model: Model,
    private readonly golden: GoldenStrings,
  ) {}

  /** Opens the file and reads the golden lines; throws Error if it cannot, or is outside their limits. */
  static async open(runtime: Runtime, golden: GoldenStrings, bytes: Uint8Array): Promise<StringReader> {
    const shape = [1, FIELD, golden.file.columns, 1];
    const reader = new StringReader(await runtime.open(bytes, shape, "wasm"), golden);
    const outside = await reader.outside();
    if (!outside.length) return reader;
    reader.close();
    throw new Error(`expected scores within their limits, got others for ${outside.join(", ")}`);
  }

  /** Reads `line`, 32 rows of any width. */
  async read(line: Ink): Promise<StringReading> {
    const start = performance.now();
    const { output, unsure_below } = this.golden.file;
    const rows = await this.scores(line);
    const string = decode(rows.map((row) => Float32Array.from(real(row, output))));
    const digits = string.digits.map((one) => ({
      ...one,
      left: Math.max(0, one.left - MARGIN),
      right: Math.min(line.width, one.right - MARGIN),
    }));
    const milliseconds = performance.now() - start;
    return { string: { ...string, digits }, sure: string.probability >= unsure_below, milliseconds };
  }

  /** Returns the scores of each window of `line`, with margins, as the file stores them. */
  async scores(line: Ink): Promise<number[][]> {
    const { columns } = this.golden.file;
    const windows = Math.floor((columns - FIELD) / STEP) + 1;
    const count = Math.floor((line.width + 2 * MARGIN - FIELD) / STEP) + 1;
    const rows: number[][] = [];
    for (let first = 0; first < count; first += windows) {
      const piece = pieceOf(line, first * STEP - MARGIN, columns);
      const [scores] = (await this.model.run(stored(piece, PIXELS))).values();
      for (let t = 0; t < windows; t++)
        rows.push(Array.from(scores.subarray(t * CLASSES, (t + 1) * CLASSES)));
    }
    return rows.slice(0, count);
  }

  close(): void {
    this.model.close();
  }

  /** Returns the names of the golden lines with a score outside its limits. */
  private async outside(): Promise<string[]> {
    const found: string[] = [];
    for (const line of this.golden.lines) {
      const rows = await this.scores(inkOf(line.width, FIELD, Uint8Array.from(line.pixels)));
      const within = line.low.every((limits, t) =>
        limits.every((low, i) => isWithin(rows[t]?.[i], low, line.high[t][i])),
      );
      if (!within) found.push(line.name);
    }
    return found;
  }
}

/** Returns `columns` columns of the line from `start` on, which may lie outside: empty there. */
function pieceOf(line: Ink, start: number, columns: number): Uint8Array {
  const piece = new Uint8Array(FIELD * columns);
  const [from, to] = [Math.max(start, 0), Math.min(start + columns, line.width)];
  for (let row = 0; from < to && row < FIELD; row++) {
    const source = line.values.subarray(row * line.width + from, row * line.width + to);
    piece.set(source, row * columns + from - start);
  }
  return piece;
}
