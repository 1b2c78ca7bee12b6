/** The cards of a net's layers, in its own words. */

import type { Activity } from "../core/layers.ts";
import type { Net } from "../engine.ts";
import type { Words } from "../words/words.ts";
import { cardOf } from "./card.ts";
import { coloursNow, paint, signed } from "./colours.ts";
import { made } from "./element.ts";
import { Maps } from "./maps.ts";
import type { Numbers } from "./numbers.ts";
import { OutputCard } from "./output_card.ts";

/** The largest that a unit gives: A of the paper's A tanh, or 1. */
export const MOST: Readonly<Record<Net, number>> = { lenet5: 1.7159, stock_lenet5: 1 };
/** How C5's 120 units are laid out. */
const C5 = { width: 30, height: 4 };

export class LayerCards {
  /** The cards, from C1 to the output. */
  readonly elements: readonly HTMLElement[];
  private readonly maps: Maps;
  private readonly c5 = made("canvas", "map strip-map");
  private readonly output: OutputCard;

  constructor(
    private readonly net: Net,
    words: Words,
    numbers: Numbers,
  ) {
    const layers = words.layers[net];
    this.maps = new Maps(net, words);
    this.output = new OutputCard(net, words, numbers);
    this.c5.setAttribute("role", "img");
    this.c5.setAttribute("aria-label", `C5: ${layers.C5.size}`);
    this.elements = [...this.maps.elements, cardOf("C5", layers.C5, this.c5).element, this.output.element];
  }

  /** Paints what the layers give, in the page's colours; null: nothing is drawn. */
  draw(activity: Activity | null): void {
    const colours = coloursNow();
    const colour = (value: number) => signed(colours, value, MOST[this.net]);
    this.maps.draw(activity, colour);
    paint(this.c5, C5.width, C5.height, (at) => colour(activity?.C5[at] ?? 0));
    this.output.draw(activity, colour);
  }
}
