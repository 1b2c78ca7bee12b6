/** "What runs": which file on which backend, its check, and its answers as a file. */

import { NoAnswer, type Reader } from "../core/reader.ts";
import type { Backend } from "../core/runtime.ts";
import type { Engine } from "../engine.ts";
import { reportOfFiles } from "../reports.ts";
import type { Words } from "../words/words.ts";
import type { InUse } from "./digit_section.ts";
import { download } from "./download.ts";
import { element } from "./element.ts";
import type { Locale } from "./locale.ts";
import type { Problem } from "./problem.ts";
import { reasonIn } from "./reasons.ts";
import { withCode } from "./texts.ts";

/** Readings of a check that are timed. */
const CHECK_READINGS = 200;
/** The file of the answers. */
const SAVED = "lenet-edge-browser.json";
const BACKENDS: readonly Backend[] = ["wasm", "webgpu"];

export class RunsSection {
  private engine: Engine | null = null;
  private reader: Reader | null = null;
  private opening = 0;
  /** What was done last, in words of whatever language is chosen. */
  private done = (words: Words) => words.page.checkIntro;

  private readonly model = element("model", HTMLSelectElement);
  private readonly backend = element("backend", HTMLSelectElement);
  private readonly status = element("checked", HTMLParagraphElement);

  /** `opened` is called with the file to read with from now on. */
  constructor(
    private locale: Locale,
    private readonly problem: Problem,
    private readonly opened: (file: InUse) => void,
  ) {
    for (const select of [this.model, this.backend])
      select.addEventListener("change", () => {
        this.report((words) => words.page.checkIntro);
        void this.openFile();
      });
    element("check", HTMLButtonElement).addEventListener("click", () => void this.check());
    element("save", HTMLButtonElement).addEventListener("click", () => void this.save());
    this.translate(locale);
  }

  /** Offers the files of `engine`, and opens the first. */
  async open(engine: Engine): Promise<void> {
    this.engine = engine;
    this.model.replaceChildren(...engine.models.map((name) => new Option(name, name)));
    this.translate(this.locale);
    await this.openFile();
  }

  translate(locale: Locale): void {
    this.locale = locale;
    const { words } = locale;
    const chosen = this.backend.value || "wasm";
    this.backend.replaceChildren(...BACKENDS.map((name) => new Option(words.backends[name], name)));
    this.backend.value = chosen;
    this.backend.options[BACKENDS.indexOf("webgpu")].disabled = !this.engine?.graphics;
    const graphics = this.engine?.graphics ? words.graphics : words.noGraphics;
    element("graphics", HTMLParagraphElement).textContent = this.engine ? graphics : "";
    this.report(this.done);
  }

  private get chosenBackend(): Backend {
    return this.backend.value === "webgpu" ? "webgpu" : "wasm";
  }

  /** Opens the chosen file on the chosen backend, which reads the golden pictures. */
  private async openFile(): Promise<void> {
    const { engine } = this;
    if (!engine) return;
    const number = ++this.opening;
    const name = this.model.value;
    this.opened("opening");
    this.reader?.close();
    this.reader = null;
    this.problem.clear();
    try {
      const reader = await engine.reader(name, this.chosenBackend);
      // Another file was chosen while this one was opened.
      if (number !== this.opening) reader.close();
      else this.reader = reader;
    } catch (error) {
      if (number === this.opening) this.problem.tell(failureOf(name, error));
    }
    if (number === this.opening) this.opened(this.reader && { name, reader: this.reader });
  }

  /** Opens the file anew, and times it. */
  private async check(): Promise<void> {
    this.report((words) => words.checking);
    await this.openFile();
    const { reader, engine } = this;
    if (!reader || !engine) {
      this.report((words) => words.noCheck);
      return;
    }
    const pictures = engine.golden.pictures.map((picture) => Uint8Array.from(picture.pixels));
    const start = performance.now();
    for (let i = 0; i < CHECK_READINGS; i++) {
      // Another file was chosen meanwhile.
      if (reader !== this.reader) return;
      await reader.read(pictures[i % pictures.length]);
    }
    const mean = (performance.now() - start) / CHECK_READINGS;
    const { verdict } = reader;
    this.report(
      (words) =>
        `${words.passed(verdict.pictures, verdict.same)} ${words.checkTime(this.locale.numbers.milliseconds(mean))}`,
    );
  }

  /** Saves what each file answers for the golden pictures on the chosen backend. */
  private async save(): Promise<void> {
    const { engine } = this;
    if (!engine) return;
    this.report((words) => words.saving);
    try {
      const pictures = engine.golden.pictures.map((picture) => picture.pixels);
      const report = await reportOfFiles(engine, engine.models, this.chosenBackend, {
        pictures: "golden",
        pixels: pictures,
      });
      download(SAVED, JSON.stringify(report));
      this.report((words) => words.saved(SAVED, engine.models.length, pictures.length));
    } catch (error) {
      this.report((words) => words.notSaved(reasonIn(error, words)));
    }
  }

  private report(done: (words: Words) => string): void {
    this.done = done;
    this.status.replaceChildren(...withCode(done(this.locale.words)));
  }
}

/** Returns why the file `name` was not opened, in words. */
function failureOf(name: string, error: unknown): (words: Words) => string {
  return (words) => {
    const reason = reasonIn(error, words);
    return error instanceof NoAnswer ? words.noAnswer(reason) : words.notOpened(name, reason);
  };
}
