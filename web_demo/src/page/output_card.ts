/** F6 as a bitmap, beside the ten codes and how far it is from each; or a stock net's ten scores. */

import type { Activity } from "../core/layers.ts";
import { BITMAP, CODES } from "../core/paper.ts";
import type { Net } from "../engine.ts";
import type { Words } from "../words/words.ts";
import { Bars } from "./bars.ts";
import { cardOf, explanation } from "./card.ts";
import { type Colour, paint } from "./colours.ts";
import { made } from "./element.ts";
import type { Numbers } from "./numbers.ts";

export class OutputCard {
  readonly element: HTMLElement;
  private readonly paper: boolean;
  private readonly bitmap = made("canvas", "map bitmap");
  private readonly codes: readonly HTMLCanvasElement[];
  private readonly bars: Bars;

  constructor(
    net: Net,
    words: Words,
    private readonly numbers: Numbers,
  ) {
    this.paper = net === "lenet5";
    this.codes = this.paper ? CODES.map(() => made("canvas", "map")) : [];
    const title = this.paper ? words.distances : words.logits;
    const list = made("ol", "bars distances");
    list.setAttribute("aria-label", title);
    this.bars = new Bars(list);
    const right = made("div", "right");
    right.append(made("p", "small quiet", title), list);
    const layers = words.layers[net];
    const card = cardOf("F6", layers.F6, this.drawn(words), this.codesBeside(), right);
    card.told.append(...explanation("OUTPUT", layers.OUTPUT));
    this.element = card.element;
  }

  /** Paints F6, and the ten outputs; `colour`: of a unit's value. */
  draw(activity: Activity | null, colour: (value: number) => Colour): void {
    const { width, height } = BITMAP;
    paint(this.bitmap, width, height, (at) => colour(activity?.F6[at] ?? 0));
    this.codes.forEach((canvas, digit) => {
      paint(canvas, width, height, (at) => colour(CODES[digit][at]));
    });
    const best = this.drawBars(Array.from(activity?.OUTPUT ?? []));
    this.codes.forEach((canvas, digit) => {
      canvas.parentElement?.classList.toggle("best", digit === best);
    });
  }

  /** Draws the outputs, none or ten; returns the digit that they answer. */
  private drawBars(outputs: readonly number[]): number | null {
    const [least, most] = [Math.min(...outputs), Math.max(...outputs)];
    const best = outputs.length ? outputs.indexOf(this.paper ? least : most) : null;
    const shares = outputs.map((one) => (this.paper ? one / most : (one - least) / (most - least)));
    this.bars.show(shares, outputs.map(this.numbers.plain), best);
    return best;
  }

  private drawn(words: Words): HTMLElement {
    const drawn = made("figure", "drawn");
    this.bitmap.setAttribute("role", "img");
    this.bitmap.setAttribute("aria-label", words.bitmapOf);
    drawn.append(this.bitmap, made("figcaption", "small quiet", words.bitmapOf));
    return drawn;
  }

  private codesBeside(): HTMLElement {
    const codes = made("div", "codes");
    // The list of distances says the same in words.
    codes.setAttribute("aria-hidden", "true");
    codes.append(
      ...this.codes.map((canvas, digit) => {
        const code = made("span", "code");
        code.append(canvas, made("b", "small", String(digit)));
        return code;
      }),
    );
    return codes;
  }
}
