/**
 * From the wide net's scores to a string: which digits, where, and how probable.
 *
 * A port of `lenet_edge.runtime.string_decoder`, whose docstrings derive it; strings.json has test cases. Eleven
 * scores a window, windows four columns apart. A digit holds one window or several, the class EMPTY all others;
 * a digit of a single window has EMPTY on both sides, and two equal digits have EMPTY between them. The best
 * of all such paths is the answer. A probability is a share of the weight of all paths.
 */

/** The class of a window without a digit in its middle. */
export const EMPTY = 10;
/** The classes of a window: ten digits and EMPTY. */
export const CLASSES = EMPTY + 1;
/** Columns from one window to the next. */
export const STEP = 4;
/** Columns of a window. */
export const FIELD = 32;

/** The least score, so that a 0 in an int8 file rules out no path. */
const FLOOR = 1e-6;
/** Columns from a digit's middle to its side: windows do not show the sides. */
const HALF_DIGIT = 10;
/** Of a row's sum: eleven scores, each rounded by up to half a step of 1/256. */
const SUM_TOLERANCE = 0.05;

/** A digit, its probability 0 to 1, and its place from column `left` to `right`. */
export interface ReadDigit {
  readonly digit: number;
  readonly probability: number;
  readonly left: number;
  readonly right: number;
}

/** A string, "" without digits, its probability 0 to 1, and its digits from left to right. */
export interface DigitString {
  readonly text: string;
  readonly probability: number;
  readonly digits: readonly ReadDigit[];
}

type Row = ArrayLike<number>;

/** A digit's windows, from `start` up to but excluding `stop`. */
interface Run {
  readonly digit: number;
  readonly start: number;
  readonly stop: number;
}

// The states of a path at a window: a digit's only window (0 to 9), EMPTY (10), the first of several windows
// (11 to 20), a later one (21 to 30).
const FIRST = CLASSES;
const LATER = FIRST + EMPTY;
const STATES = LATER + EMPTY;
const CLASS_OF = Array.from({ length: STATES }, (_, state) => (state <= EMPTY ? state : (state - 1) % EMPTY));

/** For each state the states that may come before it. Paths begin and end in EMPTY. */
const BEFORE: readonly (readonly number[])[] = (() => {
  const digits = Array.from({ length: EMPTY }, (_, digit) => digit);
  return Array.from({ length: STATES }, (_, state) => {
    if (state < EMPTY) return [EMPTY];
    if (state === EMPTY) return [...digits, EMPTY, ...digits.map((digit) => LATER + digit)];
    if (state < LATER) {
      const others = digits.filter((digit) => digit !== state - FIRST);
      return [EMPTY, ...others.map((digit) => LATER + digit)];
    }
    return [FIRST + (state - LATER), state];
  });
})();

/** For each state the states that may come after it. */
const AFTER: readonly (readonly number[])[] = BEFORE.map((_, state) =>
  BEFORE.flatMap((before, next) => (before.includes(state) ? [next] : [])),
);

/** The log weight before the first window: a path begins in EMPTY. */
const START = BEFORE.map((_, state) => (state === EMPTY ? 0 : -Infinity));

/**
 * Returns the string that `scores`, T rows of 11, are read as. Columns count from the left of the first window.
 *
 * Throws RangeError: no rows, another number of scores, NaN, a score below 0, a row whose sum is not 1.
 */
export function decode(scores: readonly Row[]): DigitString {
  const rows = checked(scores);
  const logs = rows.map((row) => row.map(Math.log));
  const emissions = logs.map((row) => CLASS_OF.map((one) => row[one]));
  const runs = runsOf(bestPath(emissions));
  const forward = forwardWeights(emissions);
  const backward = backwardWeights(emissions);
  const total = summed(forward[rows.length], BEFORE[EMPTY]);
  const digits = runs.map((run) => run.digit);
  const probabilities = runs.map((run, i) => {
    const free = i ? Math.min(runs[i - 1].start + 2, rows.length) : 0;
    const [start, stop] = [Math.max(run.start - 1, free), Math.min(run.start + 2, rows.length)];
    const never = weightWithout(emissions, forward[start], backward[stop], run.digit, start, stop);
    return 1 - share(never, total);
  });
  return {
    text: digits.join(""),
    probability: share(textWeight(logs, digits), total),
    digits: placed(rows, runs, probabilities),
  };
}

function checked(scores: readonly Row[]): number[][] {
  if (!scores.length) throw new RangeError("expected scores of one window or more, got none");
  return scores.map((window) => {
    const row = Array.from(window);
    const sum = row.reduce((total, score) => total + score, 0);
    const good =
      row.length === CLASSES && row.every((score) => score >= 0) && Math.abs(sum - 1) <= SUM_TOLERANCE;
    if (!good) throw new RangeError(`expected ${CLASSES} scores of sum 1, got ${row.length} of sum ${sum}`);
    return row.map((score) => Math.min(Math.max(score, FLOOR), 1));
  });
}

function bestPath(emissions: readonly number[][]): number[] {
  const came: number[][] = [];
  let weights: readonly number[] = START;
  for (const row of emissions) {
    const best = BEFORE.map((before) => heaviest(weights, before));
    came.push(best);
    weights = row.map((emission, state) => weights[best[state]] + emission);
  }
  const path = [heaviest(weights, BEFORE[EMPTY])];
  for (const best of came.slice(1).reverse()) path.push(best[path[path.length - 1]]);
  return path.reverse();
}

/** Returns the one of `states` with the most weight, the first of equals. */
function heaviest(weights: readonly number[], states: readonly number[]): number {
  return states.reduce((best, state) => (weights[state] > weights[best] ? state : best));
}

function runsOf(path: readonly number[]): Run[] {
  const starts = path.flatMap((state, t) => (state < LATER ? [t] : []));
  return starts.flatMap((start, i) => {
    const digit = CLASS_OF[path[start]];
    return digit === EMPTY ? [] : [{ digit, start, stop: starts[i + 1] ?? path.length }];
  });
}

/** Returns before each window, and behind the last, the log weight of all paths so far by their last state. */
function forwardWeights(emissions: readonly number[][]): number[][] {
  const found = [START];
  for (const row of emissions) found.push(advanced(found[found.length - 1], row));
  return found;
}

/** Returns the log weight by state after a window with the `emission` of each; `before`: by state before it. */
function advanced(before: readonly number[], emission: readonly number[]): number[] {
  return emission.map((one, state) => summed(before, BEFORE[state]) + one);
}

/** Returns before each window, and behind the last, the log weight of all ways on by the state so far. */
function backwardWeights(emissions: readonly number[][]): number[][] {
  const end = AFTER.map((after) => (after.includes(EMPTY) ? 0 : -Infinity));
  const found = [end];
  for (const row of [...emissions].reverse()) {
    const next = found[0].map((weight, state) => weight + row[state]);
    found.unshift(AFTER.map((after) => summed(next, after)));
  }
  return found;
}

/** Returns the log weight of the paths in which `digit` begins at no window from `start` up to `stop`. */
function weightWithout(
  emissions: readonly number[][],
  arriving: readonly number[],
  leaving: readonly number[],
  digit: number,
  start: number,
  stop: number,
): number {
  let weights = arriving;
  for (const row of emissions.slice(start, stop)) {
    const next = advanced(weights, row);
    next[digit] = next[FIRST + digit] = -Infinity;
    weights = next;
  }
  return logSum(weights.map((weight, state) => weight + leaving[state]));
}

/** Returns the log weight of all paths that read as `text`, by the number of digits read so far and by state. */
function textWeight(logs: readonly number[][], text: readonly number[]): number {
  const shown = [EMPTY, ...text];
  const ends = [...text, EMPTY];
  const nowhere = shown.map(() => -Infinity);
  let [empty, alone, first, later] = [shown.map((_, i) => (i ? -Infinity : 0)), nowhere, nowhere, nowhere];
  for (const row of logs) {
    const toFirst = empty.map((one, i) => (shown[i] === ends[i] ? one : logSum([one, later[i]])));
    const toEmpty = empty.map((one, i) => logSum([one, alone[i], later[i]]));
    const score = (i: number) => row[shown[i]];
    later = later.map((one, i) => logSum([first[i], one]) + score(i));
    alone = shown.map((_, i) => (i ? empty[i - 1] + score(i) : -Infinity));
    first = shown.map((_, i) => (i ? toFirst[i - 1] + score(i) : -Infinity));
    empty = toEmpty.map((one) => one + row[EMPTY]);
  }
  const last = text.length;
  return logSum([empty[last], alone[last], later[last]]);
}

/** Returns the log of the sum of the weights at `states`. */
function summed(weights: readonly number[], states: readonly number[]): number {
  return logSum(states.map((state) => weights[state]));
}

function logSum(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most === -Infinity
    ? most
    : most + Math.log(logs.reduce((sum, one) => sum + Math.exp(one - most), 0));
}

/** Returns `weight` as a share of `total`, both in logarithms. */
function share(weight: number, total: number): number {
  return Math.exp(Math.min(weight - total, 0));
}

function placed(
  rows: readonly number[][],
  runs: readonly Run[],
  probabilities: readonly number[],
): ReadDigit[] {
  const middles = runs.map((run) => middleOf(rows, run));
  return runs.map((run, i) => {
    const before = i ? (middles[i - 1] + middles[i]) / 2 : -Infinity;
    const after = i + 1 < runs.length ? (middles[i] + middles[i + 1]) / 2 : Infinity;
    return {
      digit: run.digit,
      probability: probabilities[i],
      left: Math.max(middles[i] - HALF_DIGIT, before),
      right: Math.min(middles[i] + HALF_DIGIT, after),
    };
  });
}

/** Returns the column of a digit's middle: the mean of its windows' middles, weighted with its scores. */
function middleOf(rows: readonly number[][], run: Run): number {
  let [sum, weight] = [0, 0];
  for (let t = run.start; t < run.stop; t++) {
    sum += t * rows[t][run.digit];
    weight += rows[t][run.digit];
  }
  const mean = Math.min(Math.max(sum / weight, run.start), run.stop - 1);
  return STEP * mean + (FIELD - 1) / 2;
}
