/** The maps of C1, S2, C3 and S4, and which of S2's and C3's are connected. */

import type { Activity } from "../core/layers.ts";
import { TABLE_I } from "../core/paper.ts";
import type { Net } from "../engine.ts";
import type { Words } from "../words/words.ts";
import { cardOf } from "./card.ts";
import { type Colour, paint } from "./colours.ts";
import { made } from "./element.ts";
import { type Pointed, TableOne } from "./table_one.ts";

const LAYERS = [
  { layer: "C1", maps: 6, side: 28 },
  { layer: "S2", maps: 6, side: 14 },
  { layer: "C3", maps: 16, side: 10 },
  { layer: "S4", maps: 16, side: 5 },
] as const;

type MapLayer = (typeof LAYERS)[number]["layer"];
export class Maps {
  /** A card for each layer. */
  readonly elements: readonly HTMLElement[];
  private readonly maps = new Map<MapLayer, readonly HTMLCanvasElement[]>();
  /** For each map of C3 the maps of S2 that it sees. */
  private readonly sources: readonly (readonly number[])[];
  private readonly table: TableOne | null;

  constructor(
    net: Net,
    private readonly words: Words,
  ) {
    const partial = net === "lenet5";
    this.sources = partial ? TABLE_I : TABLE_I.map(() => [0, 1, 2, 3, 4, 5]);
    this.table = partial ? new TableOne(words, (pointed) => this.mark(pointed)) : null;
    this.elements = LAYERS.map(({ layer, maps }) => {
      const canvases = Array.from({ length: maps }, (_, map) => this.mapOf(layer, map));
      this.maps.set(layer, canvases);
      const grid = made("div", `maps maps-${maps}`);
      grid.append(...canvases);
      const card = cardOf(layer, words.layers[net][layer], grid);
      if (layer === "C3" && this.table) card.told.append(this.table.element);
      return card.element;
    });
  }

  /** Paints what each unit gives; `colour`: of a unit's value. */
  draw(activity: Activity | null, colour: (value: number) => Colour): void {
    for (const { layer, maps, side } of LAYERS) {
      this.maps.get(layer)?.forEach((canvas, map) => {
        paint(canvas, side, side, (at) => colour(activity?.[layer][at * maps + map] ?? 0));
      });
    }
  }

  private mapOf(layer: MapLayer, map: number): HTMLCanvasElement {
    const canvas = made("canvas", "map");
    canvas.setAttribute("role", "img");
    if (layer === "C1" || layer === "S4") {
      canvas.setAttribute("aria-label", this.words.map(layer, map));
      return canvas;
    }
    const pointed = { layer, map };
    const says = layer === "C3" ? this.words.mapFrom : this.words.mapTo;
    canvas.setAttribute("aria-label", says(layer, map, this.linked(pointed).join(", ")));
    // One stop of the Tab key for each layer; arrows go from map to map.
    canvas.tabIndex = map ? -1 : 0;
    for (const name of ["pointerenter", "focus"]) canvas.addEventListener(name, () => this.mark(pointed));
    for (const name of ["pointerleave", "blur"]) canvas.addEventListener(name, () => this.mark(null));
    canvas.addEventListener("keydown", (event) => this.step(event, pointed));
    return canvas;
  }

  /** Moves the focus to the map before or behind. */
  private step(event: KeyboardEvent, { layer, map }: Pointed): void {
    const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };
    const canvases = this.maps.get(layer) ?? [];
    const next = canvases[map + (steps[event.key] ?? Number.NaN)];
    if (!next) return;
    event.preventDefault();
    for (const canvas of canvases) canvas.tabIndex = canvas === next ? 0 : -1;
    next.focus();
  }

  /** Returns the maps on the other side that a map is connected to. */
  private linked({ layer, map }: Pointed): readonly number[] {
    if (layer === "C3") return this.sources[map];
    return this.sources.flatMap((sources, target) => (sources.includes(map) ? [target] : []));
  }

  /** Marks a map and what it is connected to; null: nothing. */
  private mark(pointed: Pointed | null): void {
    for (const layer of ["S2", "C3"] as const) {
      const on = pointed?.layer === layer ? [pointed.map] : pointed ? this.linked(pointed) : [];
      this.maps.get(layer)?.forEach((canvas, map) => {
        canvas.classList.toggle("marked", on.includes(map));
        canvas.classList.toggle("dim", pointed !== null && !on.includes(map));
      });
    }
    this.table?.mark(pointed);
  }
}
