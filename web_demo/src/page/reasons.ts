/** Why something did not work, in words of a language, as the end of a sentence. */

import { NoAnswer, type Refusal, wordsOf } from "../core/reader.ts";
import { DamagedFile, MissingFile } from "../files.ts";
import type { Words } from "../words/words.ts";

/** Returns what an error says; the browser's and LiteRT.js's own errors are in English. */
export function reasonIn(error: unknown, words: Words): string {
  if (error instanceof DamagedFile) return words.damaged(error.file);
  if (error instanceof MissingFile) return words.missing(error.file, error.status);
  if (error instanceof NoAnswer) return reasonOf(error.refusal, words);
  return wordsOf(error);
}

/** Returns why a backend does not run a file. */
export function reasonOf(refusal: Refusal, words: Words): string {
  if (refusal.why === "failed") return refusal.words;
  if (refusal.why === "fell back") return words.fellBack;
  return words.deviates(refusal.verdict.outside, refusal.verdict.pictures);
}
