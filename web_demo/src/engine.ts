/** The page's nets: each is opened when it is first asked for, from the page's files, in LiteRT.js. */

import type { Golden } from "./core/golden.ts";
import { LayersReader, type Sample } from "./core/layers.ts";
import { Reader } from "./core/reader.ts";
import type { Backend, Runtime } from "./core/runtime.ts";
import { type GoldenStrings, StringReader } from "./core/strings.ts";
import { checkSha256, type Files } from "./files.ts";
import { hasGraphics, hasSimd, loadRuntime } from "./litert/runtime.ts";

/** A net whose layers can be looked at. */
export type Net = "lenet5" | "stock_lenet5";

/** The browser cannot run LiteRT.js at all. */
export class NoSimd extends Error {}

export class Engine {
  private readonly strings = new Once(() => this.openStrings());
  private readonly layers: Readonly<Record<Net, Once<LayersReader>>> = {
    lenet5: new Once(() => this.openLayers("lenet5")),
    stock_lenet5: new Once(() => this.openLayers("stock_lenet5")),
  };

  private constructor(
    private readonly files: Files,
    private readonly runtime: Runtime,
    readonly golden: Golden,
  ) {}

  /** Loads the runtime and the golden vectors; throws NoSimd or Error. */
  static async start(files: Files): Promise<Engine> {
    if (!hasSimd()) throw new NoSimd();
    const [loader, wasm, golden] = await Promise.all([
      files.content("loader.js"),
      files.content("litert.wasm"),
      json<Golden>(files, "golden.json"),
    ]);
    return new Engine(files, await loadRuntime({ loader, wasm }), golden);
  }

  /** The names of the files that read one digit. */
  get models(): string[] {
    return Object.keys(this.golden.files);
  }

  /** Whether the browser offers a graphics processor. */
  get graphics(): boolean {
    return hasGraphics();
  }

  /** Opens the file `name`; throws NoAnswer, or Error for a damaged file. The caller closes the reader. */
  async reader(name: string, backend: Backend): Promise<Reader> {
    const bytes = await this.files.content(name);
    await checkSha256(name, bytes, this.golden.files[name].sha256);
    return Reader.open(this.runtime, this.golden, name, bytes, backend);
  }

  /** Returns the wide net; throws Error if it does not open. */
  stringReader(): Promise<StringReader> {
    return this.strings.get();
  }

  /** Returns the net with its layers' outputs; throws Error if it does not open. */
  layersReader(net: Net): Promise<LayersReader> {
    return this.layers[net].get();
  }

  private async openStrings(): Promise<StringReader> {
    const golden = await json<GoldenStrings>(this.files, "strings.json");
    const bytes = await this.files.content(golden.file.name);
    await checkSha256(golden.file.name, bytes, golden.file.sha256);
    return StringReader.open(this.runtime, golden, bytes);
  }

  private async openLayers(net: Net): Promise<LayersReader> {
    const name = `${net}_layers_float32.tflite`;
    const [sample, bytes] = await Promise.all([
      json<Sample & { readonly sha256: string }>(this.files, `${net}_layers.json`),
      this.files.content(name),
    ]);
    await checkSha256(name, bytes, sample.sha256);
    return LayersReader.open(this.runtime, sample, bytes);
  }
}

/** Opens something when it is first asked for; what failed, a file that did not come say, is tried anew. */
class Once<T> {
  private opened: Promise<T> | null = null;

  constructor(private readonly open: () => Promise<T>) {}

  get(): Promise<T> {
    this.opened ??= this.open().catch((error) => {
      this.opened = null;
      throw error;
    });
    return this.opened;
  }
}

async function json<T>(files: Files, name: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await files.content(name)));
}
