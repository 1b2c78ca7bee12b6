/** The texts that stand in index.html by name. */

import type { PageWords } from "../words/words.ts";
import type { Locale } from "./locale.ts";

/** Writes every named text and label of the page anew. */
export function translatePage({ language, words }: Locale): void {
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll<HTMLElement>("[data-words]")) {
    one.replaceChildren(...withCode(words.page[one.dataset.words as keyof PageWords]));
  }
  for (const one of document.querySelectorAll<HTMLElement>("[data-label]")) {
    one.setAttribute("aria-label", words.page[one.dataset.label as keyof PageWords]);
  }
  for (const button of document.querySelectorAll<HTMLElement>("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
}

/** Returns a text as nodes; what stands between backticks is code. */
export function withCode(text: string): Node[] {
  return text.split("`").map((part, i) => {
    if (i % 2 === 0) return document.createTextNode(part);
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}
