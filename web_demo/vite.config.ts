import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";
import { addPageFiles } from "./tools/page_files.ts";

// `vite build` makes dist/, `vite build --mode single` the single file, which package.json's build script copies.
export default defineConfig(({ mode }) => {
  const single = mode === "single";
  return {
    base: "./",
    plugins: [addPageFiles(single), ...(single ? [viteSingleFile()] : [])],
    build: {
      target: "es2022",
      outDir: single ? "generated/single" : "dist",
      chunkSizeWarningLimit: 2000,
      modulePreload: { polyfill: false },
    },
  };
});
