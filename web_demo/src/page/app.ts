/** The page: what a drawing, a picture or a choice sets in motion. */

import type { Grey } from "../core/photo.ts";
import { findDigit } from "../core/photo.ts";
import { pictureOf } from "../core/picture.ts";
import { NoAnswer, type Reader, type Refusal, wordsOf } from "../core/reader.ts";
import type { Backend } from "../core/runtime.ts";
import { inkOfStrokes } from "../core/strokes.ts";
import { type Engine, type Net, NoSimd } from "../engine.ts";
import {
  firstLanguage,
  keepLanguage,
  LANGUAGES,
  type Language,
  type PageWords,
  type Words,
} from "../words/words.ts";
import { Announcer } from "./announcer.ts";
import { Bars } from "./bars.ts";
import { element, tell } from "./element.ts";
import { Inside, paintPicture } from "./inside.ts";
import { LineSection } from "./line_section.ts";
import { type Numbers, numbersIn } from "./numbers.ts";
import { greyOf, NoPicture, watchPictures } from "./pictures.ts";
import { Surface } from "./surface.ts";

/** Of how many readings the time is the median: the first takes longer. */
const TIMED = 30;
/** Readings of a check that are timed. */
const CHECK_READINGS = 200;

const backends: readonly Backend[] = ["wasm", "webgpu"];

export class App {
  private language: Language = firstLanguage();
  private engine: Engine | null = null;
  private reader: Reader | null = null;
  private picture: Uint8Array | null = null;
  private net: Net = "lenet5";
  private times: number[] = [];
  private examples = 0;
  /** The last problem, in words of whatever language is chosen. */
  private problem: ((words: Words) => string) | null = null;
  private opening = 0;

  private readonly surface: Surface;
  private readonly line: LineSection;
  private readonly bars = new Bars(element("bars", HTMLOListElement));
  private readonly inside = new Inside(element("layers", HTMLDivElement));
  private readonly told = new Announcer(element("told", HTMLParagraphElement));
  private readonly seen = element("seen", HTMLCanvasElement);
  private readonly model = element("model", HTMLSelectElement);
  private readonly backend = element("backend", HTMLSelectElement);

  constructor() {
    const canvas = element("canvas", HTMLCanvasElement);
    this.surface = new Surface(
      canvas,
      () => this.drawn(),
      (down) => this.told.say(down ? this.words.penDown : this.words.penUp),
    );
    this.line = new LineSection();
    element("notice", HTMLParagraphElement).hidden = true;
    this.listen();
    this.translate();
  }

  /** Opens what the page shows first; `engine`: as it loads. */
  async start(engine: Promise<Engine>): Promise<void> {
    element("runs", HTMLParagraphElement).textContent = this.words.loading;
    try {
      this.engine = await engine;
    } catch (error) {
      const simd = error instanceof NoSimd;
      this.fail((words) => (simd ? words.noSimd : words.notStarted(wordsOf(error))));
      element("runs", HTMLParagraphElement).textContent = "";
      return;
    }
    this.line.open(this.engine);
    this.model.replaceChildren(...this.engine.models.map((name) => new Option(name, name)));
    await this.openReader();
    this.translate();
  }

  private get words(): Words {
    return LANGUAGES[this.language];
  }

  private get numbers(): Numbers {
    return numbersIn(this.language);
  }

  private listen(): void {
    const on = (id: string, act: () => void) => element(id, HTMLButtonElement).addEventListener("click", act);
    on("undo", () => this.surface.undo());
    on("clear", () => this.surface.set([]));
    on("example", () => this.showExample());
    on("check", () => void this.check());
    for (const select of [this.model, this.backend])
      select.addEventListener("change", () => void this.openReader());
    for (const choice of document.querySelectorAll<HTMLInputElement>("[name=net]")) {
      choice.addEventListener("change", () =>
        this.chooseNet(choice.value === "lenet5" ? "lenet5" : "stock_lenet5"),
      );
    }
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-language]")) {
      button.addEventListener("click", () =>
        this.chooseLanguage(button.dataset.language === "de" ? "de" : "en"),
      );
    }
    watchPictures(document.body, element("file", HTMLInputElement), (file) => void this.take(file));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  private chooseLanguage(language: Language): void {
    this.language = language;
    keepLanguage(language);
    this.translate();
  }

  /** Writes every text of the page anew. */
  private translate(): void {
    const { page } = this.words;
    document.documentElement.lang = this.language;
    for (const one of document.querySelectorAll<HTMLElement>("[data-words]")) {
      const text = page[one.dataset.words as keyof PageWords];
      if (one.id !== "checked" || !one.dataset.result) one.replaceChildren(...withCode(text));
    }
    for (const one of document.querySelectorAll<HTMLElement>("[data-label]")) {
      one.setAttribute("aria-label", page[one.dataset.label as keyof PageWords]);
    }
    for (const button of document.querySelectorAll<HTMLElement>("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === this.language));
    }
    this.translateBackends();
    this.line.translate(this.words, this.numbers);
    this.buildInside();
    if (this.problem) tell(element("problem", HTMLParagraphElement), this.problem(this.words));
    void this.read();
  }

  private translateBackends(): void {
    const chosen = this.backend.value;
    this.backend.replaceChildren(...backends.map((name) => new Option(this.words.backends[name], name)));
    this.backend.value = chosen || "wasm";
    this.backend.options[1].disabled = !this.engine?.graphics;
    const told = this.engine ? (this.engine.graphics ? this.words.graphics : this.words.noGraphics) : "";
    element("graphics", HTMLParagraphElement).textContent = told;
  }

  private repaint(): void {
    this.surface.draw();
    this.line.repaint();
    this.inside.draw();
    paintPicture(this.seen, this.picture);
  }

  private drawn(): void {
    const ink = inkOfStrokes(this.surface.drawing);
    this.picture = ink && pictureOf(ink);
    this.noProblem();
    void this.read();
  }

  /** Shows the next golden digit as if somebody had dropped it. */
  private showExample(): void {
    const digits = this.engine?.golden.pictures.filter((one) => one.label !== null) ?? [];
    if (!digits.length) return;
    // 7 has no common factor with 20: each comes once before one comes again, and neighbours differ.
    const next = digits[(10 + 7 * this.examples++) % digits.length];
    this.surface.set([]);
    this.showPicture(Uint8Array.from(next.pixels));
  }

  private async take(file: File): Promise<void> {
    try {
      const grey = await greyOf(file);
      this.surface.set([]);
      this.showGrey(grey);
    } catch (error) {
      const words = error instanceof NoPicture ? error.words : (words: Words) => words.notPicture(file.name);
      this.fail(words);
    }
  }

  private showGrey(grey: Grey): void {
    const found = findDigit(grey);
    if (found.kind === "digit") this.showPicture(found.picture);
    else this.fail((words) => (found.kind === "blank" ? words.blank : words.crowded(found.figures)));
  }

  private showPicture(picture: Uint8Array): void {
    this.noProblem();
    this.picture = picture;
    void this.read();
  }

  /** Reads the picture, and shows the answer and the layers. */
  private async read(): Promise<void> {
    const { picture } = this;
    document.body.classList.toggle("empty", !this.surface.drawing.length);
    paintPicture(this.seen, picture);
    this.label(picture !== null);
    if (!picture) {
      this.showNothing();
      return;
    }
    // One after the other, or the time of the first would be that of both.
    await this.readDigit(picture);
    if (picture === this.picture) await this.readLayers(picture);
  }

  private label(drawn: boolean): void {
    const { words } = this;
    element("canvas", HTMLCanvasElement).setAttribute(
      "aria-label",
      drawn ? words.canvasDrawn : words.canvasEmpty,
    );
    this.seen.setAttribute("aria-label", words.page.seen);
  }

  private showNothing(): void {
    element("read", HTMLParagraphElement).textContent = "–";
    element("sure", HTMLParagraphElement).textContent = this.words.nothing;
    this.bars.show([], [], null);
    this.inside.show(null);
    this.showRuns();
  }

  private async readDigit(picture: Uint8Array): Promise<void> {
    if (!this.reader) return;
    try {
      const { answer, milliseconds } = await this.reader.read(picture);
      if (picture !== this.picture) return;
      this.times = [...this.times, milliseconds].slice(-TIMED);
      const percent = this.numbers.percent(answer.probability);
      element("read", HTMLParagraphElement).textContent = String(answer.digit);
      element("answer", HTMLDivElement).classList.toggle("unsure", !answer.sure);
      element("sure", HTMLParagraphElement).textContent = answer.sure
        ? this.words.sure(percent)
        : this.words.unsure(percent);
      this.bars.show(answer.scores, answer.scores.map(this.numbers.percent), answer.digit);
      this.told.say(
        answer.sure ? this.words.readAs(answer.digit, percent) : this.words.unsureRead(answer.digit, percent),
      );
      this.showRuns();
    } catch (error) {
      this.fail((words) => words.noAnswer(wordsOf(error)));
    }
  }

  private async readLayers(picture: Uint8Array): Promise<void> {
    const { engine, net } = this;
    if (!engine) return;
    try {
      const reader = await engine.layersReader(net);
      const activity = await reader.read(picture);
      if (picture === this.picture && net === this.net) this.inside.show(activity);
    } catch (error) {
      this.fail((words) => words.notOpened(net, wordsOf(error)));
    }
  }

  private chooseNet(net: Net): void {
    this.net = net;
    this.buildInside();
    if (this.picture) void this.readLayers(this.picture);
  }

  private buildInside(): void {
    this.inside.build({ net: this.net, words: this.words, numbers: this.numbers });
  }

  /** Opens the chosen model on the chosen backend, and reads the picture again. */
  private async openReader(): Promise<void> {
    const { engine } = this;
    if (!engine) return;
    const number = ++this.opening;
    const name = this.model.value;
    this.reader?.close();
    this.reader = null;
    this.times = [];
    this.forgetCheck();
    this.noProblem();
    try {
      const reader = await engine.reader(name, this.backend.value === "webgpu" ? "webgpu" : "wasm");
      if (number !== this.opening) {
        reader.close();
        return;
      }
      this.reader = reader;
    } catch (error) {
      if (number !== this.opening) return;
      this.showNothing();
      const refusal = error instanceof NoAnswer ? error.refusal : null;
      this.fail((words) =>
        refusal ? words.noAnswer(reasonOf(refusal, words)) : words.notOpened(name, wordsOf(error)),
      );
    }
    await this.read();
  }

  private showRuns(): void {
    const place = element("runs", HTMLParagraphElement);
    const { reader, words, times } = this;
    if (!reader) {
      tell(place, "");
      return;
    }
    const usual = times.length ? [...times].sort((a, b) => a - b)[times.length >> 1] : null;
    const parts = [
      usual === null
        ? `${words.backends[reader.ran]}: ${this.model.value}`
        : words.runs(this.model.value, words.backends[reader.ran], this.numbers.milliseconds(usual)),
    ];
    if (reader.refusal) {
      const { backend, refusal } = reader.refusal;
      parts.push(words.refused(words.backends[backend], reasonOf(refusal, words)));
    }
    tell(place, parts.join(" "));
  }

  /** Opens the model anew, which reads the golden pictures, and times it. */
  private async check(): Promise<void> {
    const place = element("checked", HTMLParagraphElement);
    place.textContent = this.words.checking;
    await this.openReader();
    const { reader, engine, words } = this;
    if (!reader || !engine) {
      place.textContent = this.problem?.(words) ?? "";
      return;
    }
    const { pictures, outside, same } = reader.verdict;
    const pixels = engine.golden.pictures.map((picture) => Uint8Array.from(picture.pixels));
    const start = performance.now();
    for (let i = 0; i < CHECK_READINGS; i++) await reader.read(pixels[i % pixels.length]);
    const mean = (performance.now() - start) / CHECK_READINGS;
    const verdict = outside
      ? words.failed(outside, pictures)
      : words.passed(pictures - outside, pictures, same);
    place.dataset.result = outside ? "failed" : "passed";
    place.textContent = `${verdict} ${words.checkTime(this.numbers.milliseconds(mean))}`;
  }

  private forgetCheck(): void {
    const place = element("checked", HTMLParagraphElement);
    delete place.dataset.result;
    place.textContent = this.words.page.checkIntro;
  }

  private fail(words: (words: Words) => string): void {
    this.problem = words;
    tell(element("problem", HTMLParagraphElement), words(this.words));
  }

  private noProblem(): void {
    this.problem = null;
    tell(element("problem", HTMLParagraphElement), "");
  }
}

/** Returns why a backend does not run a file, in words. */
function reasonOf(refusal: Refusal, words: Words): string {
  if (refusal.why === "failed") return refusal.words;
  if (refusal.why === "fell back") return words.fellBack;
  return words.deviates(refusal.verdict.outside, refusal.verdict.pictures);
}

/** Returns a text as nodes; what stands between backticks is code. */
function withCode(text: string): Node[] {
  return text.split("`").map((part, i) => {
    if (i % 2 === 0) return document.createTextNode(part);
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}
