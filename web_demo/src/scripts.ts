/** What the page offers to scripts as `lenetEdge`, in the browser's console for example (docs/web.md). */

import type { Backend } from "./core/runtime.ts";
import type { Engine } from "./engine.ts";

/** The scores of many pictures, as the file stores them, and what really ran it. */
export interface Answers {
  readonly file: string;
  readonly backend: Backend;
  readonly scores: readonly (readonly number[])[];
  readonly seconds: number;
}

export interface Scripts {
  /** The names of the files that read one digit. */
  models(): Promise<string[]>;
  /** Reads `pictures`, each 1,024 pixels from 0 for paper to 255 for ink, with the file `name`. */
  read(name: string, pictures: readonly ArrayLike<number>[], backend?: Backend): Promise<Answers>;
}

export function scriptsOf(engine: Promise<Engine>): Scripts {
  return {
    models: async () => (await engine).models,
    read: async (name, pictures, backend = "wasm") => {
      const reader = await (await engine).reader(name, backend);
      try {
        const start = performance.now();
        const scores: number[][] = [];
        for (const pixels of pictures)
          scores.push(Array.from((await reader.read(Uint8Array.from(pixels))).stored));
        return { file: name, backend: reader.ran, scores, seconds: (performance.now() - start) / 1000 };
      } finally {
        reader.close();
      }
    },
  };
}
