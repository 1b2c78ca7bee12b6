/** One digit: drawn or on a picture, and read while it is drawn. */

import type { Golden } from "../core/golden.ts";
import { median } from "../core/median.ts";
import { findDigit, SEARCHED_SIDE } from "../core/photo.ts";
import { pictureOf } from "../core/picture.ts";
import type { Reader, Reading } from "../core/reader.ts";
import { inkOfStrokes } from "../core/strokes.ts";
import { Announcer } from "./announcer.ts";
import { Bars } from "./bars.ts";
import { paintPicture } from "./colours.ts";
import { element, tell } from "./element.ts";
import type { Locale } from "./locale.ts";
import { greyOf, type PicturePlace } from "./pictures.ts";
import type { Problem } from "./problem.ts";
import { reasonIn, reasonOf } from "./reasons.ts";
import { Surface } from "./surface.ts";

/** Of how many readings the time is the median: the first takes longer. */
const TIMED = 30;

/** A file that reads one digit. */
export interface OpenFile {
  readonly name: string;
  readonly reader: Reader;
}

/** What reads: a file, one that is being opened, or none. */
export type InUse = OpenFile | "opening" | null;

export class DigitSection implements PicturePlace {
  readonly section = element("digit", HTMLElement);
  readonly input = element("file", HTMLInputElement);

  private file: InUse = "opening";
  private examples: readonly Uint8Array[] = [];
  private shown = 0;
  private picture: Uint8Array | null = null;
  private reading: Reading | null = null;
  private times: number[] = [];

  private readonly canvas = element("canvas", HTMLCanvasElement);
  private readonly seen = element("seen", HTMLCanvasElement);
  private readonly bars = new Bars(element("bars", HTMLOListElement));
  private readonly told = new Announcer(element("told", HTMLParagraphElement));
  private readonly surface: Surface;

  /** `changed` is called with the picture once it has been read, null without one. */
  constructor(
    private locale: Locale,
    readonly problem: Problem,
    private readonly changed: (picture: Uint8Array | null) => void,
  ) {
    this.surface = new Surface(
      this.canvas,
      () => this.drawn(),
      (down) => this.told.say(down ? this.locale.words.penDown : this.locale.words.penUp),
    );
    const on = (id: string, act: () => void) => element(id, HTMLButtonElement).addEventListener("click", act);
    on("undo", () => this.surface.undo());
    on("clear", () => this.surface.set([]));
    on("example", () => this.showExample());
    this.show();
  }

  /** Offers the golden digits as examples. */
  open(golden: Golden): void {
    this.examples = golden.pictures
      .filter((picture) => picture.label !== null)
      .map((picture) => Uint8Array.from(picture.pixels));
  }

  /** Reads with `file` from now on. */
  use(file: InUse): void {
    this.file = file;
    this.times = [];
    void this.read();
  }

  /** Reads the digit on a picture. */
  async take(file: File): Promise<void> {
    const found = findDigit(await greyOf(file, 2 * SEARCHED_SIDE));
    if (found.kind === "digit") this.replace(found.picture);
    else this.problem.tell((words) => (found.kind === "blank" ? words.blank : words.crowded(found.figures)));
  }

  translate(locale: Locale): void {
    this.locale = locale;
    this.show();
  }

  /** Paints everything anew, in the page's colours. */
  repaint(): void {
    paintPicture(this.seen, this.picture);
    this.surface.draw();
  }

  private drawn(): void {
    const ink = inkOfStrokes(this.surface.drawing);
    this.picture = ink && pictureOf(ink);
    this.problem.clear();
    void this.read();
  }

  /** Shows the next golden digit as if somebody had dropped it. */
  private showExample(): void {
    const { examples } = this;
    // 7 has no common factor with 20: each comes once before one comes again, and neighbours differ.
    if (examples.length) this.replace(examples[(10 + 7 * this.shown++) % examples.length]);
  }

  /** Shows a picture in place of the drawing. */
  private replace(picture: Uint8Array): void {
    this.surface.set([]);
    this.picture = picture;
    void this.read();
    this.surface.show(this.seen);
  }

  private async read(): Promise<void> {
    const { picture, file } = this;
    paintPicture(this.seen, picture);
    if (!picture || !file || file === "opening") {
      // While a file is opened, the answer of the one before stays.
      if (!picture || !file) this.reading = null;
      this.show();
      this.changed(picture);
      return;
    }
    try {
      const reading = await file.reader.read(picture);
      if (picture !== this.picture || file !== this.file) return;
      this.reading = reading;
      this.times = [...this.times, reading.milliseconds].slice(-TIMED);
    } catch (error) {
      if (file === this.file) this.problem.tell((words) => words.noAnswer(reasonIn(error, words)));
    }
    this.show();
    // Only now: two nets at once would share the processor, and the time would be that of both.
    this.changed(picture);
  }

  /** Writes what was read. */
  private show(): void {
    const { words, numbers } = this.locale;
    this.section.classList.toggle("used", this.picture !== null);
    this.canvas.setAttribute("aria-label", this.picture ? words.canvasDrawn : words.canvasEmpty);
    this.seen.setAttribute("aria-label", words.page.seen);
    const [digit, sure] = [element("read", HTMLParagraphElement), element("sure", HTMLParagraphElement)];
    tell(element("runs", HTMLParagraphElement), this.runs());
    element("answer", HTMLDivElement).classList.toggle("unsure", this.reading?.answer.sure === false);
    if (!this.reading) {
      digit.textContent = "–";
      sure.textContent = words.nothing;
      this.bars.show([], [], null);
      return;
    }
    const { answer } = this.reading;
    const percent = numbers.percent(answer.probability);
    digit.textContent = String(answer.digit);
    sure.textContent = answer.sure ? percent : words.unsure(percent);
    this.bars.show(answer.scores, answer.scores.map(numbers.percent), answer.digit);
    const says = answer.sure ? words.readAs : words.unsureRead;
    this.told.say(says(answer.digit, percent));
  }

  /** Returns which backend runs which file, in what time, and why not another one. */
  private runs(): string {
    const { words, numbers } = this.locale;
    if (!this.file) return "";
    if (this.file === "opening") return words.loading;
    const { name, reader } = this.file;
    const backend = words.backends[reader.ran];
    const runs = this.times.length
      ? words.runs(name, backend, numbers.milliseconds(median(this.times)))
      : `${backend}: ${name}`;
    if (!reader.refusal) return runs;
    const why = reasonOf(reader.refusal.refusal, words);
    return `${runs} ${words.refused(words.backends[reader.refusal.backend], why)}`;
  }
}
