/** What scores say: the digit, how probable, and whether that is sure. */

/** The digit with the highest of ten `scores`; below the file's threshold it is not `sure`. */
export interface Answer {
  readonly scores: readonly number[];
  readonly digit: number;
  readonly probability: number;
  readonly sure: boolean;
}

/** Returns the answer of `scores`; `unsureBelow`: the file's threshold. */
export function answerOf(scores: readonly number[], unsureBelow: number): Answer {
  const probability = Math.max(...scores);
  return { scores, digit: scores.indexOf(probability), probability, sure: probability >= unsureBelow };
}
