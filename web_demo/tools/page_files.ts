/** Puts the models, the runtime and the golden vectors into the page: beside it, or inside the single file. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import type { Golden } from "../src/core/golden.ts";
import { LAYERS, type Sample } from "../src/core/layers.ts";
import type { GoldenStrings } from "../src/core/strings.ts";
import { encoded } from "../src/files.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const PACKAGE = join(ROOT, "lenet_edge");
const LITERT = join(dirname(createRequire(import.meta.url).resolve("@litertjs/core")), "..", "wasm");

/** Where `make web` lets `lenet-edge convert --target web` write. */
const CONVERTED = join(ROOT, "build", "web");

const DIGIT_MODELS = ["float32", "float16", "dynamic", "int8", "int8_qat"].map((p) => `lenet5_${p}.tflite`);
/** The single file stays below 5 MB with these. */
const DIGIT_MODELS_INSIDE = ["float32", "int8", "int8_qat"].map((p) => `lenet5_${p}.tflite`);

const WIDE = "lenet5_wide_web.tflite";

interface Manifest {
  readonly models: Record<string, { readonly sha256: string }>;
}

/** Returns the content of each file of the page by its name; throws Error when one is not the tested file. */
export function pageFiles(single: boolean): Map<string, Buffer> {
  const golden: Golden = json(join(PACKAGE, "golden", "golden.json"));
  const strings: GoldenStrings = json(join(PACKAGE, "golden", "strings.json"));
  const converted: Manifest = json(join(CONVERTED, "manifest.json"));
  const names = single ? DIGIT_MODELS_INSIDE : DIGIT_MODELS;
  const files = Object.fromEntries(names.map((name) => [name, golden.files[name]]));
  const found = new Map<string, Buffer>([
    ["loader.js", readFileSync(join(LITERT, "litert_wasm_compat_internal.js"))],
    ["litert.wasm", readFileSync(join(LITERT, "litert_wasm_compat_internal.wasm"))],
    ["golden.json", asJson({ pictures: golden.pictures, drawings: [], files })],
  ]);
  for (const name of names) found.set(name, tested(join(PACKAGE, "released"), name, files[name].sha256));
  const wide = tested(CONVERTED, WIDE, converted.models[WIDE].sha256);
  found.set(WIDE, wide);
  // The file of fixed width has the weights of the released one, and so its golden scores.
  const file = { ...strings.file, name: WIDE, sha256: converted.models[WIDE].sha256, bytes: wide.length };
  found.set("strings.json", asJson({ file, lines: strings.lines, hard: [] }));
  for (const net of ["lenet5", "stock_lenet5"]) {
    const name = `${net}_layers_float32.tflite`;
    const { sha256 } = converted.models[name];
    found.set(name, tested(CONVERTED, name, sha256));
    found.set(`${net}_layers.json`, asJson({ sha256, ...limits(`${net}_layers_float32.json`) }));
  }
  return found;
}

/** The plugin that adds the files to a build, `single`: inside the page. */
export function addPageFiles(single: boolean): Plugin {
  return {
    name: "page-files",
    generateBundle() {
      for (const [name, content] of single ? [] : pageFiles(false)) {
        this.emitFile({ type: "asset", fileName: `files/${name}.gz`, source: gzipped(content) });
      }
    },
    transformIndexHtml: (html) => (single ? html.replace("</body>", () => `${blocks()}</body>`) : html),
  };
}

function blocks(): string {
  return [...pageFiles(true)]
    .map(([name, content]) => {
      const bytes = gzipped(content);
      return `<script type="text/plain" id="file:${name}" data-bytes="${bytes.length}">${encoded(bytes)}</script>\n`;
    })
    .join("");
}

function gzipped(content: Buffer): Buffer {
  return gzipSync(content, { level: 9 });
}

function tested(folder: string, name: string, sha256: string): Buffer {
  const content = readFileSync(join(folder, name));
  const found = createHash("sha256").update(content).digest("hex");
  if (found !== sha256) throw new Error(`expected ${name} of sha256 ${sha256}, got ${found}`);
  return content;
}

/** Returns a sample of `convert` without its values, which the limits enclose. */
function limits(name: string): object {
  const sample: Sample = json(join(CONVERTED, name));
  const outputs = LAYERS.map((layer) => {
    const { low, high } = sample.outputs[layer];
    return [layer, { low, high }];
  });
  return { ...sample, outputs: Object.fromEntries(outputs) };
}

function json<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8"));
}

function asJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
