/** "See it think": what every layer gives for the picture, live, in one of two nets. */

import type { Activity } from "../core/layers.ts";
import type { Engine, Net } from "../engine.ts";
import { element } from "./element.ts";
import { LayerCards, MOST } from "./layer_cards.ts";
import type { Locale } from "./locale.ts";
import type { Problem } from "./problem.ts";
import { reasonIn } from "./reasons.ts";

export class InsideSection {
  private engine: Engine | null = null;
  private net: Net = "lenet5";
  private picture: Uint8Array | null = null;
  private activity: Activity | null = null;
  private cards: LayerCards;

  constructor(
    private locale: Locale,
    private readonly problem: Problem,
  ) {
    for (const choice of document.querySelectorAll<HTMLInputElement>("[name=net]")) {
      choice.addEventListener("change", () =>
        this.choose(choice.value === "lenet5" ? "lenet5" : "stock_lenet5"),
      );
    }
    this.cards = this.built();
  }

  /** Reads with the nets of `engine` from now on. */
  open(engine: Engine): void {
    this.engine = engine;
    this.read(this.picture);
  }

  /** Shows what the layers give for `picture`; null: for nothing. */
  read(picture: Uint8Array | null): void {
    this.picture = picture;
    if (picture) void this.readPicture(picture);
    else this.show(null);
  }

  translate(locale: Locale): void {
    this.locale = locale;
    this.cards = this.built();
  }

  /** Paints everything anew, in the page's colours. */
  repaint(): void {
    this.cards.draw(this.activity);
  }

  private async readPicture(picture: Uint8Array): Promise<void> {
    const { engine, net } = this;
    if (!engine) return;
    try {
      const reader = await engine.layersReader(net);
      const activity = await reader.read(picture);
      if (picture === this.picture && net === this.net) this.show(activity);
    } catch (error) {
      this.problem.tell((words) => words.notOpened(net, reasonIn(error, words)));
    }
  }

  private choose(net: Net): void {
    this.net = net;
    this.activity = null;
    this.cards = this.built();
    this.read(this.picture);
  }

  private show(activity: Activity | null): void {
    this.activity = activity;
    this.repaint();
  }

  /** Builds the cards of the chosen net in the chosen language. */
  private built(): LayerCards {
    const { words, numbers } = this.locale;
    const most = numbers.plain(MOST[this.net]);
    element("least", HTMLSpanElement).textContent = `−${most}`;
    element("most", HTMLSpanElement).textContent = `+${most}`;
    const cards = new LayerCards(this.net, words, numbers);
    element("layers", HTMLDivElement).replaceChildren(...cards.elements);
    cards.draw(this.activity);
    return cards;
  }
}
