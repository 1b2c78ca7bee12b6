/** Ten bars, one a digit. */

import { made } from "./element.ts";

export class Bars {
  private readonly rows: { row: HTMLElement; fill: HTMLElement; value: HTMLElement }[];

  constructor(list: HTMLElement) {
    this.rows = Array.from({ length: 10 }, (_, digit) => {
      const row = made("li", "bar");
      const fill = made("i", "fill");
      const track = made("span", "track");
      const value = made("span", "value");
      track.append(fill);
      row.append(made("b", "", String(digit)), track, value);
      list.append(row);
      return { row, fill, value };
    });
  }

  /** Shows a share 0 to 1 and a text for each digit; `best` stands out. */
  show(shares: readonly number[], texts: readonly string[], best: number | null): void {
    this.rows.forEach(({ row, fill, value }, digit) => {
      fill.style.transform = `scaleX(${Math.min(Math.max(shares[digit] ?? 0, 0), 1)})`;
      value.textContent = texts[digit] ?? "";
      row.classList.toggle("best", digit === best);
    });
  }
}
