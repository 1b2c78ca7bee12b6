/** The wide canvas: a number, read while it is written. */

import { FIELD } from "../core/decoder.ts";
import type { Ink } from "../core/ink.ts";
import { lineOfStrokes } from "../core/line.ts";
import { wordsOf } from "../core/reader.ts";
import type { StringReading } from "../core/strings.ts";
import type { Engine } from "../engine.ts";
import type { Words } from "../words/words.ts";
import { Announcer } from "./announcer.ts";
import { between, coloursNow } from "./colours.ts";
import { element, penOf, tell } from "./element.ts";
import type { Numbers } from "./numbers.ts";
import { Surface } from "./surface.ts";

/** Pixels of the strip for each pixel of the line. */
const ENLARGED = 6;
/** Rows under the line, for the digits' brackets and names. */
const CAPTIONS = 11;

export class LineSection {
  private readonly surface: Surface;
  private readonly canvas = element("wide", HTMLCanvasElement);
  private readonly told = new Announcer(element("string-told", HTMLParagraphElement));
  private readonly strip = element("strip", HTMLCanvasElement);
  private engine: Engine | null = null;
  private words: Words | null = null;
  private numbers: Numbers | null = null;
  private line: Ink | null = null;
  private reading: StringReading | null = null;

  constructor() {
    this.surface = new Surface(
      this.canvas,
      () => void this.read(),
      (down) => this.told.say((down ? this.words?.penDown : this.words?.penUp) ?? ""),
    );
    element("wide-undo", HTMLButtonElement).addEventListener("click", () => this.surface.undo());
    element("wide-clear", HTMLButtonElement).addEventListener("click", () => this.surface.set([]));
  }

  /** Reads with `engine` from now on. */
  open(engine: Engine): void {
    this.engine = engine;
    void this.read();
  }

  translate(words: Words, numbers: Numbers): void {
    this.words = words;
    this.numbers = numbers;
    this.strip.setAttribute("aria-label", words.strip);
    this.show();
  }

  repaint(): void {
    this.surface.draw();
    this.drawStrip();
  }

  private async read(): Promise<void> {
    const line = lineOfStrokes(this.surface.drawing);
    this.line = line;
    this.canvas.parentElement?.classList.toggle("used", line !== null);
    const problem = element("string-problem", HTMLParagraphElement);
    if (!line || !this.engine) {
      this.reading = null;
      this.show();
      return;
    }
    try {
      const reader = await this.engine.stringReader();
      const reading = await reader.read(line);
      if (line !== this.line) return;
      this.reading = reading;
      tell(problem, "");
      this.show();
    } catch (error) {
      tell(problem, this.words?.notOpened("lenet5_wide", wordsOf(error)) ?? "");
    }
  }

  private show(): void {
    const { words, numbers, reading } = this;
    if (!words || !numbers) return;
    this.canvas.setAttribute("aria-label", this.line ? words.canvasDrawn : words.wideEmpty);
    this.drawStrip();
    const [string, sure] = [
      element("string", HTMLParagraphElement),
      element("string-sure", HTMLParagraphElement),
    ];
    if (!reading) {
      string.textContent = "–";
      sure.textContent = words.nothing;
      return;
    }
    const { text, probability } = reading.string;
    const percent = numbers.percent(probability);
    string.textContent = text || words.stringNone;
    string.classList.toggle("unsure", !reading.sure);
    sure.textContent = reading.sure ? words.sure(percent) : words.unsure(percent);
    this.told.say(text ? words.stringRead(text, percent) : words.stringNone);
  }

  /** Draws the line as the net sees it, and below each digit a bracket as wide as it. */
  private drawStrip(): void {
    const { strip, line } = this;
    strip.hidden = !line;
    if (!line) return;
    strip.width = line.width * ENLARGED;
    strip.height = (FIELD + CAPTIONS) * ENLARGED;
    const pen = penOf(strip);
    const { paper, ink } = coloursNow();
    line.values.forEach((value, at) => {
      pen.fillStyle = `rgb(${between(paper, ink, value / 255).join(" ")})`;
      pen.fillRect((at % line.width) * ENLARGED, Math.floor(at / line.width) * ENLARGED, ENLARGED, ENLARGED);
    });
    this.drawDigits(pen);
  }

  private drawDigits(pen: CanvasRenderingContext2D): void {
    const style = getComputedStyle(this.strip);
    pen.strokeStyle = pen.fillStyle = style.getPropertyValue(this.reading?.sure ? "--accent" : "--unsure");
    pen.lineWidth = 0.4 * ENLARGED;
    pen.textAlign = "center";
    pen.font = `600 ${8 * ENLARGED}px ${style.fontFamily}`;
    for (const { digit, left, right } of this.reading?.string.digits ?? []) {
      const [from, to, top] = [(left + 1) * ENLARGED, (right - 1) * ENLARGED, (FIELD + 0.5) * ENLARGED];
      pen.beginPath();
      pen.moveTo(from, top);
      pen.lineTo(from, top + ENLARGED);
      pen.lineTo(to, top + ENLARGED);
      pen.lineTo(to, top);
      pen.stroke();
      pen.fillText(String(digit), (from + to) / 2, top + 9 * ENLARGED);
    }
  }
}
