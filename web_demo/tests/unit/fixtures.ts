/** The package's golden vectors, as the tests read them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Golden } from "../../src/core/golden.ts";
import type { GoldenStrings } from "../../src/core/strings.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "lenet_edge", "golden");

export const golden: Golden = JSON.parse(readFileSync(join(FOLDER, "golden.json"), "utf8"));
export const strings: GoldenStrings = JSON.parse(readFileSync(join(FOLDER, "strings.json"), "utf8"));
