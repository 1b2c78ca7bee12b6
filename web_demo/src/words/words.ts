/** What the page says, and in which language. */

import type { Net } from "../engine.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";

/** The names of a net's layers, as the page explains them. */
export type Explained = "C1" | "S2" | "C3" | "S4" | "C5" | "F6" | "OUTPUT";

/** What a layer is and does: a short kind, its size, and a sentence or two. */
export interface LayerWords {
  readonly kind: string;
  readonly size: string;
  readonly does: string;
}

/** Texts that stand on the page by themselves: index.html names them in data-words and data-label. */
export interface PageWords {
  readonly skip: string;
  readonly subtitle: string;
  readonly language: string;
  readonly drawTitle: string;
  readonly drawHint: string;
  readonly undo: string;
  readonly clear: string;
  readonly example: string;
  readonly choose: string;
  readonly pictureNote: string;
  readonly seen: string;
  readonly bars: string;
  readonly insideTitle: string;
  readonly insideIntro: string;
  readonly net: string;
  readonly netPaper: string;
  readonly netStock: string;
  readonly legend: string;
  readonly lineTitle: string;
  readonly lineIntro: string;
  readonly lineHint: string;
  readonly lineNote: string;
  readonly runtimeTitle: string;
  readonly model: string;
  readonly runsOn: string;
  readonly check: string;
  readonly save: string;
  readonly checkIntro: string;
  readonly credits: string;
}

/** All texts of a language. */
export interface Words {
  readonly page: PageWords;
  readonly canvasEmpty: string;
  readonly canvasDrawn: string;
  readonly wideEmpty: string;
  readonly penDown: string;
  readonly penUp: string;
  readonly nothing: string;
  readonly readAs: (digit: number, percent: string) => string;
  readonly unsureRead: (digit: number, percent: string) => string;
  readonly unsure: (percent: string) => string;
  readonly loading: string;
  readonly runs: (file: string, backend: string, milliseconds: string) => string;
  readonly refused: (backend: string, reason: string) => string;
  readonly backends: { readonly wasm: string; readonly webgpu: string };
  readonly fellBack: string;
  readonly deviates: (outside: number, pictures: number) => string;
  readonly noGraphics: string;
  readonly graphics: string;
  readonly noSimd: string;
  readonly notStarted: (reason: string) => string;
  readonly notOpened: (file: string, reason: string) => string;
  readonly noAnswer: (reason: string) => string;
  readonly damaged: (file: string) => string;
  readonly missing: (file: string, status: number) => string;
  readonly checking: string;
  readonly passed: (pictures: number, same: number) => string;
  readonly checkTime: (milliseconds: string) => string;
  readonly noCheck: string;
  readonly saving: string;
  readonly saved: (name: string, files: number, pictures: number) => string;
  readonly notSaved: (reason: string) => string;
  readonly noFile: string;
  readonly notPicture: (name: string) => string;
  readonly heic: string;
  readonly tooLarge: (megapixels: string, most: number) => string;
  readonly badShape: (width: number, height: number) => string;
  readonly blank: string;
  readonly crowded: (figures: number) => string;
  readonly lines: string;
  readonly stringRead: (text: string, percent: string) => string;
  readonly stringNone: string;
  readonly strip: string;
  readonly map: (layer: string, number: number) => string;
  readonly mapFrom: (layer: string, number: number, sources: string) => string;
  readonly mapTo: (layer: string, number: number, targets: string) => string;
  readonly tableTitle: string;
  readonly tableNote: string;
  readonly connected: (source: number, target: number) => string;
  readonly notConnected: (source: number, target: number) => string;
  readonly distances: string;
  readonly logits: string;
  readonly bitmapOf: string;
  readonly layers: Readonly<Record<Net, Readonly<Record<Explained, LayerWords>>>>;
}

export const LANGUAGES = { en, de };
export type Language = keyof typeof LANGUAGES;

const KEPT = "lenet-edge-language";

/** Returns the language that was chosen here before, else the browser's first that the page knows. */
export function firstLanguage(): Language {
  const wanted = [kept() ?? "", ...navigator.languages].map((name) => name.slice(0, 2));
  return wanted.find((name): name is Language => name in LANGUAGES) ?? "en";
}

/** Keeps the choice for the next visit, where the browser lets a page store anything. */
export function keepLanguage(language: Language): void {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    // Without storage the browser's language decides again.
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
