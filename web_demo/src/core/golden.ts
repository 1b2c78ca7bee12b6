/** What every port must reproduce: lenet_edge/golden/golden.json and strings.json, as this page has them. */

/** The type of a file's input or output, and how whole numbers stand for real ones. */
export interface TensorEnd {
  readonly type: "float32" | "uint8";
  readonly scale?: number;
  readonly zero_point?: number;
}

/** A picture to check with: 32 x 32 pixels; `label` is null if it is no digit. */
export interface GoldenPicture {
  readonly name: string;
  readonly label: number | null;
  readonly pixels: readonly number[];
}

/** A drawing and the picture that it must become. */
export interface GoldenDrawing {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly ink: readonly number[];
  readonly pixels: readonly number[];
}

/**
 * What a file must be and give for each picture, as it stores it: `scores` in TensorFlow, anywhere from `low` to
 * `high` in a runtime that rounds differently. Below `unsure_below` an answer is not sure.
 */
export interface GoldenFile {
  readonly sha256: string;
  readonly bytes: number;
  readonly unsure_below?: number;
  readonly input: TensorEnd & { readonly size: number };
  readonly output: TensorEnd;
  readonly scores: readonly (readonly number[])[];
  readonly low: readonly (readonly number[])[];
  readonly high: readonly (readonly number[])[];
}

/** golden.json. */
export interface Golden {
  readonly pictures: readonly GoldenPicture[];
  readonly drawings: readonly GoldenDrawing[];
  readonly files: Readonly<Record<string, GoldenFile>>;
}

/** Scores as a file stores them, a row for each picture. */
export type StoredRows = readonly ArrayLike<number>[];

/** Of `pictures`, how many have a score `outside` the limits, and how many are the `same` as in TensorFlow. */
export interface Verdict {
  readonly pictures: number;
  readonly outside: number;
  readonly same: number;
}

/** How much the nine digits of a limit may have rounded it, relative to 1. */
const WRITTEN = 1e-8;

/** Returns the verdict on `rows`, the stored scores of all golden pictures. A missing score is outside. */
export function judge(file: Pick<GoldenFile, "scores" | "low" | "high">, rows: StoredRows): Verdict {
  const { low, high, scores } = file;
  const outside = low.filter(
    (limits, p) => !limits.every((least, i) => isWithin(rows[p]?.[i], least, high[p][i])),
  );
  const same = scores.filter((wanted, p) => wanted.every((score, i) => rows[p]?.[i] === score));
  return { pictures: low.length, outside: outside.length, same: same.length };
}

/** Returns whether a stored value is from `low` to `high`; NaN and a value that is not there are not. */
export function isWithin(value: number | undefined, low: number, high: number): boolean {
  if (value === undefined) return false;
  const room = WRITTEN * Math.max(Math.abs(low), Math.abs(high), 1);
  return value >= low - room && value <= high + room;
}
