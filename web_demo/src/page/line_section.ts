/** The wide canvas: a number, read while it is written, or from a picture of a line. */

import type { Ink } from "../core/ink.ts";
import { lineOfStrokes } from "../core/line.ts";
import { findLine, LONGEST_SIDE } from "../core/photo_line.ts";
import type { StringReading } from "../core/strings.ts";
import type { Engine } from "../engine.ts";
import { Announcer } from "./announcer.ts";
import { paintInk } from "./colours.ts";
import { element } from "./element.ts";
import type { Locale } from "./locale.ts";
import { greyOf, type PicturePlace } from "./pictures.ts";
import { Problem } from "./problem.ts";
import { reasonIn } from "./reasons.ts";
import { paintStrip } from "./strip.ts";
import { Surface } from "./surface.ts";

export class LineSection implements PicturePlace {
  readonly section = element("line", HTMLElement);
  readonly input = element("wide-file", HTMLInputElement);

  private engine: Engine | null = null;
  private line: Ink | null = null;
  private reading: StringReading | null = null;
  /** The line of a picture, to be shown on the wide canvas. */
  private readonly photo = document.createElement("canvas");

  private readonly canvas = element("wide", HTMLCanvasElement);
  private readonly strip = element("strip", HTMLCanvasElement);
  private readonly told = new Announcer(element("string-told", HTMLParagraphElement));
  readonly problem: Problem;
  private readonly surface: Surface;

  constructor(private locale: Locale) {
    this.problem = new Problem(element("string-problem", HTMLParagraphElement), locale.words);
    this.surface = new Surface(
      this.canvas,
      () => this.drawn(),
      (down) => this.told.say(down ? this.locale.words.penDown : this.locale.words.penUp),
    );
    element("wide-undo", HTMLButtonElement).addEventListener("click", () => this.surface.undo());
    element("wide-clear", HTMLButtonElement).addEventListener("click", () => this.surface.set([]));
    this.show();
  }

  /** Reads with `engine` from now on. */
  open(engine: Engine): void {
    this.engine = engine;
    void this.read();
  }

  /** Reads the line on a picture. */
  async take(file: File): Promise<void> {
    const found = findLine(await greyOf(file, LONGEST_SIDE));
    if (found.kind === "line") this.replace(found.line);
    else this.problem.tell((words) => (found.kind === "blank" ? words.blank : words.lines));
  }

  translate(locale: Locale): void {
    this.locale = locale;
    this.problem.translate(locale.words);
    this.show();
  }

  /** Paints everything anew, in the page's colours. */
  repaint(): void {
    if (this.line) paintInk(this.photo, this.line);
    this.surface.draw();
    paintStrip(this.strip, this.line, this.reading);
  }

  private drawn(): void {
    this.line = lineOfStrokes(this.surface.drawing);
    this.problem.clear();
    void this.read();
  }

  /** Shows a line in place of what is written. */
  private replace(line: Ink): void {
    this.surface.set([]);
    this.line = line;
    void this.read();
    paintInk(this.photo, line);
    this.surface.show(this.photo);
  }

  private async read(): Promise<void> {
    const { line, engine } = this;
    if (!line || !engine) {
      this.reading = null;
      this.show();
      return;
    }
    try {
      const reader = await engine.stringReader();
      const reading = await reader.read(line);
      if (line !== this.line) return;
      this.reading = reading;
    } catch (error) {
      this.problem.tell((words) => words.notOpened("lenet5_wide", reasonIn(error, words)));
    }
    this.show();
  }

  /** Writes what was read. */
  private show(): void {
    const { words, numbers } = this.locale;
    this.section.classList.toggle("used", this.line !== null);
    this.canvas.setAttribute("aria-label", this.line ? words.canvasDrawn : words.wideEmpty);
    this.strip.setAttribute("aria-label", words.strip);
    paintStrip(this.strip, this.line, this.reading);
    const [string, sure] = [
      element("string", HTMLParagraphElement),
      element("string-sure", HTMLParagraphElement),
    ];
    string.classList.toggle("unsure", this.reading?.sure === false);
    if (!this.reading) {
      string.textContent = "–";
      sure.textContent = words.nothing;
      return;
    }
    const { text, probability } = this.reading.string;
    const percent = numbers.percent(probability);
    string.textContent = text || words.stringNone;
    sure.textContent = this.reading.sure ? percent : words.unsure(percent);
    this.told.say(text ? words.stringRead(text, percent) : words.stringNone);
  }
}
