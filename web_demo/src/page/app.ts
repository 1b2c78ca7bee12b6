/** The page: its sections, and the language that all of them speak. */

import { type Engine, NoSimd } from "../engine.ts";
import { firstLanguage, keepLanguage, type Language } from "../words/words.ts";
import { DigitSection } from "./digit_section.ts";
import { element } from "./element.ts";
import { InsideSection } from "./inside_section.ts";
import { LineSection } from "./line_section.ts";
import { type Locale, localeOf } from "./locale.ts";
import { watchPictures } from "./pictures.ts";
import { Problem } from "./problem.ts";
import { reasonIn } from "./reasons.ts";
import { RunsSection } from "./runs_section.ts";
import { translatePage } from "./texts.ts";

export class App {
  private locale: Locale = localeOf(firstLanguage());

  private readonly problem = new Problem(element("problem", HTMLParagraphElement), this.locale.words);
  private readonly inside = new InsideSection(this.locale, this.problem);
  private readonly digit = new DigitSection(this.locale, this.problem, (picture) =>
    this.inside.read(picture),
  );
  private readonly line = new LineSection(this.locale);
  private readonly runs = new RunsSection(this.locale, this.problem, (open) => this.digit.use(open));

  constructor() {
    element("notice", HTMLParagraphElement).hidden = true;
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-language]")) {
      button.addEventListener("click", () => this.choose(button.dataset.language === "de" ? "de" : "en"));
    }
    watchPictures([this.digit, this.line]);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const section of [this.digit, this.inside, this.line]) section.repaint();
    });
    translatePage(this.locale);
  }

  /** Opens what the page shows first; `engine`: as it loads. */
  async start(engine: Promise<Engine>): Promise<void> {
    try {
      const started = await engine;
      this.inside.open(started);
      this.line.open(started);
      this.digit.open(started.golden);
      await this.runs.open(started);
    } catch (error) {
      this.digit.use(null);
      this.problem.tell((words) =>
        error instanceof NoSimd ? words.noSimd : words.notStarted(reasonIn(error, words)),
      );
    }
  }

  private choose(language: Language): void {
    keepLanguage(language);
    this.locale = localeOf(language);
    translatePage(this.locale);
    this.problem.translate(this.locale.words);
    for (const section of [this.digit, this.inside, this.line, this.runs]) section.translate(this.locale);
  }
}
