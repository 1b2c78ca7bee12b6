/** Numbers as people of a language write them. */

import type { Language } from "../words/words.ts";

export interface Numbers {
  /** A probability 0 to 1; "100 %" only when it is not less. */
  readonly percent: (share: number) => string;
  readonly milliseconds: (time: number) => string;
  readonly plain: (value: number) => string;
}

export function numbersIn(language: Language): Numbers {
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  const time = new Intl.NumberFormat(language, {
    style: "unit",
    unit: "millisecond",
    maximumFractionDigits: 2,
  });
  const plain = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return {
    percent: (share) => percent.format(share < 1 ? Math.min(share, 0.999) : 1),
    milliseconds: (value) => time.format(value),
    plain: (value) => plain.format(value),
  };
}
