/** The card of a layer: what it is and does, and its picture. */

import type { LayerWords } from "../words/words.ts";
import { made } from "./element.ts";

/** A layer's card; `told` holds its words. */
export interface Card {
  readonly element: HTMLElement;
  readonly told: HTMLElement;
}

/** Returns the card of `layer` with `content` as its picture. */
export function cardOf(layer: string, words: LayerWords, ...content: readonly HTMLElement[]): Card {
  const element = made("article", "layer card");
  element.dataset.layer = layer;
  const told = made("div", "told");
  told.append(...explanation(layer, words));
  const picture = made("div", "picture");
  picture.append(...content);
  element.append(told, picture);
  return { element, told };
}

/** Returns a layer's name and kind, its size, and what it does. */
export function explanation(layer: string, { kind, size, does }: LayerWords): HTMLElement[] {
  const title = made("h3");
  title.append(made("b", "name", layer), made("span", "", kind));
  return [title, sizeLine(size), made("p", "does", does)];
}

/** Returns a size, "6 maps · 156 weights", as a line that breaks between its parts only. */
function sizeLine(size: string): HTMLElement {
  const line = made("p", "size small quiet");
  const parts = size.split(" · ").map((part) => made("span", "", part));
  line.append(...parts.flatMap((part, i) => (i ? [" · ", part] : [part])));
  return line;
}
