/** A language as the page uses it: its texts, and numbers as its readers write them. */

import { LANGUAGES, type Language, type Words } from "../words/words.ts";
import { type Numbers, numbersIn } from "./numbers.ts";

export interface Locale {
  readonly language: Language;
  readonly words: Words;
  readonly numbers: Numbers;
}

export function localeOf(language: Language): Locale {
  return { language, words: LANGUAGES[language], numbers: numbersIn(language) };
}
