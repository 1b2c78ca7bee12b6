/** "See it think": what every layer gives for the drawing, live. */

import type { Activity } from "../core/layers.ts";
import { BITMAP, CODES, TABLE_I } from "../core/paper.ts";
import { SIDE } from "../core/picture.ts";
import type { Net } from "../engine.ts";
import type { Explained, Words } from "../words/words.ts";
import { Bars } from "./bars.ts";
import { between, coloursNow, paint, signed } from "./colours.ts";
import { element, made } from "./element.ts";
import type { Numbers } from "./numbers.ts";

/** The largest that a unit of the paper gives: A of A tanh. */
const MOST: Readonly<Record<Net, number>> = { lenet5: 1.7159, stock_lenet5: 1 };
const MAPS = [
  { layer: "C1", maps: 6, side: 28 },
  { layer: "S2", maps: 6, side: 14 },
  { layer: "C3", maps: 16, side: 10 },
  { layer: "S4", maps: 16, side: 5 },
] as const;
const C5 = { width: 30, height: 4 };

type MapLayer = (typeof MAPS)[number]["layer"];

/** What is shown of a net, and in which language. */
export interface Shown {
  readonly net: Net;
  readonly words: Words;
  readonly numbers: Numbers;
}

export class Inside {
  private readonly maps = new Map<MapLayer, HTMLCanvasElement[]>();
  private readonly c5 = made("canvas", "map strip-map");
  private readonly bitmap = made("canvas", "map bitmap");
  private readonly codes: HTMLCanvasElement[] = [];
  private distances: Bars | null = null;
  private readonly cells: HTMLElement[][] = [];
  private activity: Activity | null = null;
  private shown: Shown | null = null;

  constructor(private readonly place: HTMLElement) {}

  /** Builds the section for a net and a language, and shows the last activity if it is of that net. */
  build(shown: Shown): void {
    if (shown.net !== this.shown?.net) this.activity = null;
    this.shown = shown;
    const { net, numbers } = shown;
    this.place.replaceChildren(
      ...MAPS.map(({ layer, maps }) => this.mapCard(layer, maps)),
      this.card("C5", this.c5),
      this.outputCard(),
    );
    const most = numbers.plain(MOST[net]);
    element("least", HTMLSpanElement).textContent = `−${most}`;
    element("most", HTMLSpanElement).textContent = `+${most}`;
    this.draw();
  }

  /** Shows what the layers give; null: nothing is drawn. */
  show(activity: Activity | null): void {
    this.activity = activity;
    this.draw();
  }

  /** Paints everything anew, in the page's colours. */
  draw(): void {
    if (!this.shown) return;
    const colours = coloursNow();
    const { net } = this.shown;
    const values = this.activity;
    for (const { layer, maps, side } of MAPS) {
      this.maps.get(layer)?.forEach((canvas, map) => {
        paint(canvas, side, side, (at) => signed(colours, values?.[layer][at * maps + map] ?? 0, MOST[net]));
      });
    }
    paint(this.c5, C5.width, C5.height, (at) => signed(colours, values?.C5[at] ?? 0, MOST[net]));
    const { width, height } = BITMAP;
    paint(this.bitmap, width, height, (at) => signed(colours, values?.F6[at] ?? 0, MOST[net]));
    this.codes.forEach((canvas, digit) => {
      paint(canvas, width, height, (at) => signed(colours, CODES[digit][at], MOST[net]));
    });
    this.drawOutput();
  }

  private drawOutput(): void {
    if (!this.shown || !this.distances) return;
    const { net, numbers } = this.shown;
    const outputs = Array.from(this.activity?.OUTPUT ?? []);
    const paper = net === "lenet5";
    const [least, most] = [Math.min(...outputs), Math.max(...outputs)];
    const best = outputs.length ? outputs.indexOf(paper ? least : most) : null;
    const shares = outputs.map((one) => (paper ? one / most : (one - least) / (most - least)));
    this.distances.show(shares, outputs.map(numbers.plain), best);
    this.codes.forEach((canvas, digit) => {
      canvas.parentElement?.classList.toggle("best", digit === best);
    });
  }

  private card(layer: Explained, ...content: HTMLElement[]): HTMLElement {
    const card = made("article", "layer card");
    card.dataset.layer = layer;
    if (!this.shown) return card;
    const { kind, size, does } = this.shown.words.layers[this.shown.net][layer];
    const told = made("div", "told");
    const title = made("h3");
    title.append(made("b", "name", layer === "OUTPUT" ? "F6 → 10" : layer), made("span", "", kind));
    told.append(title, made("p", "size small quiet", size), made("p", "does", does));
    const picture = made("div", "picture");
    picture.append(...content);
    card.append(told, picture);
    return card;
  }

  private mapCard(layer: MapLayer, count: number): HTMLElement {
    const grid = made("div", `maps maps-${count}`);
    const canvases = Array.from({ length: count }, (_, map) => this.mapOf(layer, map));
    this.maps.set(layer, canvases);
    grid.append(...canvases);
    const card = this.card(layer, grid);
    if (layer === "C3" && this.shown?.net === "lenet5") card.firstElementChild?.append(this.table());
    return card;
  }

  private mapOf(layer: MapLayer, map: number): HTMLCanvasElement {
    const canvas = made("canvas", "map");
    canvas.setAttribute("role", "img");
    const words = this.shown?.words;
    const linked = this.linked(layer, map);
    const numbers = linked.join(", ");
    const label = layer === "C3" ? words?.mapFrom : layer === "S2" ? words?.mapTo : null;
    canvas.setAttribute("aria-label", label ? label(layer, map, numbers) : (words?.map(layer, map) ?? ""));
    if (label) {
      canvas.tabIndex = 0;
      for (const name of ["pointerenter", "focus"])
        canvas.addEventListener(name, () => this.mark(layer, map));
      for (const name of ["pointerleave", "blur"]) canvas.addEventListener(name, () => this.mark(null, 0));
    }
    return canvas;
  }

  /** Returns the maps on the other side that a map of S2 or C3 is connected to. */
  private linked(layer: MapLayer, map: number): number[] {
    const table = this.shown?.net === "lenet5" ? TABLE_I : TABLE_I.map(() => [0, 1, 2, 3, 4, 5]);
    if (layer === "C3") return [...table[map]];
    return table.flatMap((sources, target) => (sources.includes(map) ? [target] : []));
  }

  /** Marks a map of S2 or C3 and what it is connected to; null: nothing. */
  private mark(layer: MapLayer | null, map: number): void {
    const linked = layer ? this.linked(layer, map) : [];
    for (const one of ["S2", "C3"] as const) {
      const on = layer === null ? [] : one === layer ? [map] : linked;
      this.maps.get(one)?.forEach((canvas, i) => {
        canvas.classList.toggle("marked", on.includes(i));
        canvas.classList.toggle("dim", layer !== null && !on.includes(i));
      });
    }
    this.cells.forEach((row, source) => {
      row.forEach((cell, target) => {
        cell.classList.toggle("marked", layer === "C3" ? target === map : layer === "S2" && source === map);
      });
    });
  }

  private table(): HTMLElement {
    const words = this.shown?.words;
    const figure = made("figure", "table-one");
    const table = made("table");
    table.setAttribute("aria-label", words?.tableTitle ?? "");
    this.cells.length = 0;
    for (let source = 0; source < 6; source++) {
      const row = made("tr");
      this.cells.push(
        TABLE_I.map((sources, target) => {
          const connected = sources.includes(source);
          const cell = made("td", connected ? "connected" : "");
          const says = connected ? words?.connected : words?.notConnected;
          cell.title = says?.(source, target) ?? "";
          cell.append(made("span", "hidden", connected ? "X" : ""));
          cell.addEventListener("pointerenter", () => this.mark("C3", target));
          cell.addEventListener("pointerleave", () => this.mark(null, 0));
          row.append(cell);
          return cell;
        }),
      );
      table.append(row);
    }
    figure.append(
      made("figcaption", "small", words?.tableTitle),
      table,
      made("p", "small quiet", words?.tableNote),
    );
    return figure;
  }

  private outputCard(): HTMLElement {
    if (!this.shown) return made("article");
    const { net, words } = this.shown;
    const drawn = made("figure", "drawn");
    this.bitmap.setAttribute("role", "img");
    this.bitmap.setAttribute("aria-label", words.bitmapOf);
    drawn.append(this.bitmap, made("figcaption", "small quiet", words.bitmapOf));
    const list = made("ol", "bars distances");
    this.distances = new Bars(list);
    this.distances.label = net === "lenet5" ? words.distances : words.logits;
    const right = made("div", "right");
    right.append(made("p", "small quiet", net === "lenet5" ? words.distances : words.logits), list);
    this.codes.length = 0;
    const codes = made("div", "codes");
    if (net === "lenet5") {
      codes.setAttribute("aria-hidden", "true");
      for (const digit of CODES.keys()) {
        const code = made("span", "code");
        const canvas = made("canvas", "map");
        this.codes.push(canvas);
        code.append(canvas, made("b", "small", String(digit)));
        codes.append(code);
      }
    }
    const card = this.card("F6", drawn, codes, right);
    const output = words.layers[net].OUTPUT;
    const told = card.firstElementChild;
    const title = made("h3");
    title.append(made("b", "name", "OUTPUT"), made("span", "", output.kind));
    told?.append(title, made("p", "size small quiet", output.size), made("p", "does", output.does));
    return card;
  }
}

/** Paints the net's picture, dark on paper; null: nothing is drawn. */
export function paintPicture(canvas: HTMLCanvasElement, picture: Uint8Array | null): void {
  const { paper, ink } = coloursNow();
  paint(canvas, SIDE, SIDE, (at) => between(paper, ink, (picture?.[at] ?? 0) / 255));
}
