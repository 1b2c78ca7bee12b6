/** Table I of the paper: which of S2's maps each map of C3 sees. */

import { TABLE_I } from "../core/paper.ts";
import type { Words } from "../words/words.ts";
import { made } from "./element.ts";

/** A map that is pointed at: a row of the table or a column. */
export interface Pointed {
  readonly layer: "S2" | "C3";
  readonly map: number;
}

/** The maps of S2: the table's rows. */
const SOURCES = [0, 1, 2, 3, 4, 5];

export class TableOne {
  readonly element = made("figure", "table-one");
  /** By map of S2, then of C3. */
  private readonly cells: readonly (readonly HTMLElement[])[];

  /** `point` is called with the map of C3 whose column is pointed at, null with none. */
  constructor(words: Words, point: (pointed: Pointed | null) => void) {
    this.cells = SOURCES.map((source) =>
      TABLE_I.map((sources, target) => {
        const connected = sources.includes(source);
        const cell = made("td", connected ? "connected" : "");
        cell.title = connected ? words.connected(source, target) : words.notConnected(source, target);
        cell.append(made("span", "hidden", connected ? "X" : ""));
        cell.addEventListener("pointerenter", () => point({ layer: "C3", map: target }));
        cell.addEventListener("pointerleave", () => point(null));
        return cell;
      }),
    );
    const table = made("table");
    table.setAttribute("aria-label", words.tableTitle);
    for (const cells of this.cells) {
      const row = made("tr");
      row.append(...cells);
      table.append(row);
    }
    this.element.append(
      made("figcaption", "small", words.tableTitle),
      table,
      made("p", "small quiet", words.tableNote),
    );
  }

  /** Marks the row or the column of a map; null: nothing. */
  mark(pointed: Pointed | null): void {
    this.cells.forEach((row, source) => {
      row.forEach((cell, target) => {
        const place = pointed?.layer === "C3" ? target : source;
        cell.classList.toggle("marked", pointed?.map === place);
      });
    });
  }
}
