import type { Words } from "./words.ts";

export const en: Words = {
  page: {
    skip: "To the drawing",
    subtitle: "The convolutional net of 1998, layer by layer as printed. What you draw stays on this page.",
    language: "Language",
    drawTitle: "Draw a digit",
    drawHint: "0 to 9, as large as you like",
    undo: "Undo",
    clear: "Clear",
    example: "Example",
    choose: "Choose a picture",
    pictureNote:
      "Or drop or paste a picture of one digit. Ruled lines are not removed and slanted paper is not straightened: " +
      "`lenet-edge classify` does both. Keyboard: arrows move the pen, Space lifts and lowers it, Delete clears.",
    seen: "What the net sees",
    bars: "Probability of each digit",
    insideTitle: "See it think",
    insideIntro:
      "Every layer of the net, live while you draw. Point at a map to see what it is connected to.",
    net: "Which net",
    netPaper: "Trainable subsampling, 1998",
    netStock: "Average pooling, as usual today",
    legend: "output of a unit",
    lineTitle: "A line of digits",
    lineIntro:
      "The same layers slide over a line of any length and give an answer every four pixels. A Viterbi decoder " +
      "turns the answers into a number.",
    lineHint: "Write a number",
    lineNote:
      "Or drop or choose a picture of one line of digits, or paste one while the focus is here. It may slope a little. " +
      "Ruled lines are not removed: `lenet-edge read` does that.",
    runtimeTitle: "What runs",
    model: "Model",
    runsOn: "Runs on",
    check: "Check",
    save: "Save the answers",
    checkIntro:
      "A check reads 23 pictures and compares every score with TensorFlow’s. The saved answers of all models can be " +
      "compared on a computer: `lenet-edge parity --import`.",
    credits:
      "LeNet-5: LeCun, Bottou, Bengio and Haffner, “Gradient-based learning applied to document recognition”, 1998. " +
      "Examples: MNIST, Yann LeCun and Corinna Cortes, CC BY-SA 3.0. Runtime: LiteRT.js, Apache 2.0. " +
      "lenet-edge, Apache 2.0.",
  },
  canvasEmpty: "Canvas, empty. Draw a digit.",
  canvasDrawn: "Canvas with a drawing.",
  wideEmpty: "Wide canvas, empty. Write a number.",
  penDown: "Pen down",
  penUp: "Pen up",
  nothing: "Nothing read yet",
  readAs: (digit, percent) => `Read as ${digit}, ${percent}`,
  unsureRead: (digit, percent) => `Unsure, perhaps ${digit}, ${percent}`,
  unsure: (percent) => `unsure, ${percent}`,
  loading: "Loading the net …",
  runs: (file, backend, milliseconds) => `${backend} runs ${file}. ${milliseconds} a picture.`,
  refused: (backend, reason) => `${backend} does not run it: ${reason}.`,
  backends: { wasm: "WebAssembly", webgpu: "WebGPU" },
  fellBack: "LiteRT.js handed the model to WebAssembly",
  deviates: (outside, pictures) =>
    `for ${outside} of ${pictures} pictures its scores are further off than rounding explains`,
  noGraphics: "WebGPU is not offered: this browser has none, or found no graphics processor.",
  graphics: "This browser has WebGPU. It takes float models whole and leaves int8 ones to WebAssembly.",
  noSimd: "This browser has no WebAssembly SIMD, which the net needs. A browser from 2023 or later has it.",
  notStarted: (reason) => `The net could not be loaded: ${reason}.`,
  notOpened: (file, reason) => `${file} could not be opened: ${reason}.`,
  noAnswer: (reason) => `No answer with this choice can be trusted: ${reason}.`,
  damaged: (file) => `${file} is damaged, or is not the file that was tested`,
  missing: (file, status) => `the server has no ${file} (status ${status})`,
  checking: "Checking …",
  passed: (pictures, same) =>
    `Passed: all ${pictures} pictures are within their limits, ${same} equal to TensorFlow to the last bit.`,
  checkTime: (milliseconds) => `${milliseconds} a picture, the mean of 200.`,
  noCheck: "Not checked: the model could not be opened.",
  saving: "Saving …",
  saved: (name, files, pictures) =>
    `Saved as ${name}: the scores of ${files} models for ${pictures} pictures, for \`lenet-edge parity --import\`.`,
  notSaved: (reason) => `Not saved: ${reason}.`,
  noFile: "That was no file. Drop or paste a picture.",
  notPicture: (name) => `${name} is no picture that this browser can read. Choose a PNG or a JPEG.`,
  heic: "This browser cannot read HEIC. Save the picture as a JPEG, or take a screenshot of it.",
  tooLarge: (megapixels, most) => `The picture has ${megapixels} megapixels. Choose one of ${most} at most.`,
  badShape: (width, height) =>
    `The picture has ${width} × ${height} pixels. Choose one of at least 8 each way, up to 20 times as long as wide.`,
  blank: "Nothing is written on the picture.",
  crowded: (figures) =>
    `The picture shows ${figures} separate figures. Choose one with a single digit, or drop a number on “A line of digits”.`,
  lines: "The picture shows more than one line. Choose one with a single line of digits.",
  stringRead: (text, percent) => `Read as ${text.split("").join(" ")}, ${percent}`,
  stringNone: "No digits",
  strip: "The line as the net sees it",
  map: (layer, number) => `${layer}, map ${number}`,
  mapFrom: (layer, number, sources) => `${layer}, map ${number}, connected to S2’s maps ${sources}`,
  mapTo: (layer, number, targets) => `${layer}, map ${number}, seen by C3’s maps ${targets}`,
  tableTitle: "Table I: which of S2’s maps each map of C3 sees",
  tableNote: "Columns: the 16 maps of C3. Rows: the 6 maps of S2.",
  connected: (source, target) => `C3’s map ${target} sees S2’s map ${source}`,
  notConnected: (source, target) => `C3’s map ${target} does not see S2’s map ${source}`,
  distances: "Distance of F6 from each digit’s bitmap",
  logits: "Score of each digit before the softmax",
  bitmapOf: "F6 as a bitmap of 7 × 12",
  layers: {
    lenet5: {
      C1: {
        kind: "Convolution, 5 × 5",
        size: "6 maps of 28 × 28 · 156 weights · 122,304 connections",
        does: "Six small kernels look for the same six patterns everywhere: strokes in a direction, ends, edges.",
      },
      S2: {
        kind: "Trainable subsampling, 2 × 2",
        size: "6 maps of 14 × 14 · 12 weights · 5,880 connections",
        does:
          "Each unit adds four neighbours, multiplies the sum by its map’s one coefficient, adds its map’s one bias, " +
          "and squashes. Training decides how much a map blurs, or sharpens, or inverts.",
      },
      C3: {
        kind: "Partial convolution, 5 × 5",
        size: "16 maps of 10 × 10 · 1,516 weights · 151,600 connections",
        does: "Each map sees only some of S2’s, by Table I, so that different maps must find different things.",
      },
      S4: {
        kind: "Trainable subsampling, 2 × 2",
        size: "16 maps of 5 × 5 · 32 weights · 2,000 connections",
        does: "As S2. Now what was found matters, and no longer exactly where.",
      },
      C5: {
        kind: "Convolution, 5 × 5",
        size: "120 maps of 1 × 1 · 48,120 weights",
        does: "Each unit sees all of S4 at once. On a longer picture it slides: that is how a line is read.",
      },
      F6: {
        kind: "Fully connected",
        size: "84 units · 10,164 weights",
        does: "One unit for each pixel of a 7 × 12 bitmap. Training pulls them towards the bitmap of the digit that is shown.",
      },
      OUTPUT: {
        kind: "Euclidean radial basis functions",
        size: "10 units · no weights to train",
        does: "Each measures how far F6 is from the bitmap of its digit. The smallest distance is the answer.",
      },
    },
    stock_lenet5: {
      C1: {
        kind: "Convolution, 5 × 5",
        size: "6 maps of 28 × 28 · 156 weights",
        does: "Six small kernels look for the same six patterns everywhere. The picture is 28 × 28, with zeros around.",
      },
      S2: {
        kind: "Average pooling, 2 × 2",
        size: "6 maps of 14 × 14 · no weights",
        does: "The mean of four neighbours: always a blur, for every map the same. Nothing here learns.",
      },
      C3: {
        kind: "Full convolution, 5 × 5",
        size: "16 maps of 10 × 10 · 2,416 weights",
        does: "Each map sees all six of S2’s: 900 weights more than with Table I.",
      },
      S4: {
        kind: "Average pooling, 2 × 2",
        size: "16 maps of 5 × 5 · no weights",
        does: "As S2: a mean without weights.",
      },
      C5: {
        kind: "Fully connected",
        size: "120 units · 48,120 weights",
        does: "Each unit sees all of S4. Being dense, it cannot slide over a longer picture.",
      },
      F6: {
        kind: "Fully connected",
        size: "84 units · 10,164 weights",
        does: "84 units without a picture behind them: the shape of 7 × 12 shows nothing.",
      },
      OUTPUT: {
        kind: "Fully connected, softmax",
        size: "10 units · 850 weights",
        does: "A weighted sum for each digit. The largest is the answer.",
      },
    },
  },
};
