/** A sentence about what went wrong, in whatever language is chosen, until it is mended. */

import type { Words } from "../words/words.ts";
import { tell } from "./element.ts";

export class Problem {
  private says: ((words: Words) => string) | null = null;

  /** `place` announces what is written in it. */
  constructor(
    private readonly place: HTMLElement,
    private words: Words,
  ) {}

  tell(says: (words: Words) => string): void {
    this.says = says;
    tell(this.place, says(this.words));
  }

  clear(): void {
    this.says = null;
    tell(this.place, "");
  }

  translate(words: Words): void {
    this.words = words;
    if (this.says) this.tell(this.says);
  }
}
