import type { Words } from "./words.ts";

export const de: Words = {
  page: {
    skip: "Zur Zeichnung",
    subtitle:
      "Das Faltungsnetz von 1998, Schicht für Schicht wie gedruckt. Was du zeichnest, bleibt auf dieser Seite.",
    language: "Sprache",
    drawTitle: "Zeichne eine Ziffer",
    drawHint: "0 bis 9, so groß du magst",
    undo: "Rückgängig",
    clear: "Löschen",
    example: "Beispiel",
    choose: "Bild wählen",
    pictureNote:
      "Oder ein Bild mit einer Ziffer hierher ziehen oder einfügen. Linien auf dem Papier werden nicht entfernt, schiefes " +
      "Papier wird nicht gedreht: Beides kann `lenet-edge classify`. Tastatur: Pfeile bewegen den Stift, Leertaste " +
      "hebt und senkt ihn, Entf löscht.",
    seen: "Was das Netz sieht",
    bars: "Wahrscheinlichkeit jeder Ziffer",
    insideTitle: "Sieh dem Netz beim Denken zu",
    insideIntro:
      "Jede Schicht des Netzes, während du zeichnest. Zeig auf eine Karte, um zu sehen, womit sie verbunden ist.",
    net: "Welches Netz",
    netPaper: "Trainierbares Subsampling, 1998",
    netStock: "Mittelwert-Pooling, wie heute üblich",
    legend: "Ausgabe einer Einheit",
    lineTitle: "Eine Zeile Ziffern",
    lineIntro:
      "Dieselben Schichten gleiten über eine beliebig lange Zeile und antworten alle vier Pixel. Ein Viterbi-Decoder " +
      "macht aus den Antworten eine Zahl.",
    lineHint: "Schreib eine Zahl",
    lineNote:
      "Oder ein Bild mit einer Zeile Ziffern hierher ziehen, auswählen oder, wenn der Fokus hier ist, einfügen. Die Zeile " +
      "darf etwas schief sein. Linien auf dem Papier werden nicht entfernt: Das kann `lenet-edge read`.",
    runtimeTitle: "Womit gerechnet wird",
    model: "Modell",
    runsOn: "Läuft auf",
    check: "Prüfen",
    save: "Antworten speichern",
    checkIntro:
      "Eine Prüfung liest 23 Bilder und vergleicht jeden Wert mit dem von TensorFlow. Die gespeicherten Antworten aller " +
      "Modelle lassen sich am Computer vergleichen: `lenet-edge parity --import`.",
    credits:
      "LeNet-5: LeCun, Bottou, Bengio und Haffner, „Gradient-based learning applied to document recognition“, 1998. " +
      "Beispiele: MNIST, Yann LeCun und Corinna Cortes, CC BY-SA 3.0. Laufzeit: LiteRT.js, Apache 2.0. " +
      "lenet-edge, Apache 2.0.",
  },
  canvasEmpty: "Zeichenfläche, leer. Zeichne eine Ziffer.",
  canvasDrawn: "Zeichenfläche mit Zeichnung.",
  wideEmpty: "Breite Zeichenfläche, leer. Schreib eine Zahl.",
  penDown: "Stift gesenkt",
  penUp: "Stift gehoben",
  nothing: "Noch nichts gelesen",
  readAs: (digit, percent) => `Gelesen als ${digit}, ${percent}`,
  unsureRead: (digit, percent) => `Unsicher, vielleicht ${digit}, ${percent}`,
  unsure: (percent) => `unsicher, ${percent}`,
  loading: "Das Netz wird geladen …",
  runs: (file, backend, milliseconds) => `${file} läuft auf ${backend}, ${milliseconds} je Bild.`,
  refused: (backend, reason) => `Auf ${backend} läuft es nicht: ${reason}.`,
  backends: { wasm: "WebAssembly", webgpu: "WebGPU" },
  fellBack: "LiteRT.js hat das Modell an WebAssembly abgegeben",
  deviates: (outside, pictures) =>
    `bei ${outside} von ${pictures} Bildern weichen die Werte weiter ab, als Rundung erklärt`,
  noGraphics: "WebGPU steht nicht zur Wahl: Dieser Browser hat keines oder fand keinen Grafikprozessor.",
  graphics:
    "Dieser Browser hat WebGPU. float-Modelle laufen ganz darauf, int8-Modelle überlässt es WebAssembly.",
  noSimd: "Dieser Browser hat kein WebAssembly-SIMD, das das Netz braucht. Ein Browser ab 2023 hat es.",
  notStarted: (reason) => `Das Netz ließ sich nicht laden: ${reason}.`,
  notOpened: (file, reason) => `${file} ließ sich nicht öffnen: ${reason}.`,
  noAnswer: (reason) => `Keiner Antwort dieser Auswahl ist zu trauen: ${reason}.`,
  damaged: (file) => `${file} ist beschädigt oder nicht die geprüfte Datei`,
  missing: (file, status) => `Auf dem Server fehlt ${file} (Status ${status})`,
  checking: "Prüfung läuft …",
  passed: (pictures, same) =>
    `Bestanden: Alle ${pictures} Bilder liegen innerhalb der Grenzen, ${same} bis aufs letzte Bit wie TensorFlow.`,
  checkTime: (milliseconds) => `${milliseconds} je Bild, Mittel aus 200.`,
  noCheck: "Nicht geprüft: Das Modell ließ sich nicht öffnen.",
  saving: "Wird gespeichert …",
  saved: (name, files, pictures) =>
    `Gespeichert als ${name}: die Werte von ${files} Modellen für ${pictures} Bilder, für \`lenet-edge parity --import\`.`,
  notSaved: (reason) => `Nicht gespeichert: ${reason}.`,
  noFile: "Das war keine Datei. Zieh ein Bild hierher oder füg eines ein.",
  notPicture: (name) => `${name} ist kein Bild, das dieser Browser lesen kann. Wähle ein PNG oder JPEG.`,
  heic: "Dieser Browser kann kein HEIC lesen. Speichere das Bild als JPEG oder mach einen Screenshot.",
  tooLarge: (megapixels, most) => `Das Bild hat ${megapixels} Megapixel. Wähle eines mit höchstens ${most}.`,
  badShape: (width, height) =>
    `Das Bild hat ${width} × ${height} Pixel. Wähle eines mit mindestens 8 je Seite, höchstens 20-mal so lang wie breit.`,
  blank: "Auf dem Bild steht nichts.",
  crowded: (figures) =>
    `Das Bild zeigt ${figures} getrennte Zeichen. Wähle eines mit einer einzigen Ziffer, oder zieh eine Zahl auf „Eine Zeile Ziffern“.`,
  lines: "Das Bild zeigt mehr als eine Zeile. Wähle eines mit einer einzigen Zeile Ziffern.",
  stringRead: (text, percent) => `Gelesen als ${text.split("").join(" ")}, ${percent}`,
  stringNone: "Keine Ziffern",
  strip: "Die Zeile, wie das Netz sie sieht",
  map: (layer, number) => `${layer}, Karte ${number}`,
  mapFrom: (layer, number, sources) =>
    `${layer}, Karte ${number}, verbunden mit den Karten ${sources} von S2`,
  mapTo: (layer, number, targets) => `${layer}, Karte ${number}, gesehen von den Karten ${targets} von C3`,
  tableTitle: "Tabelle I: welche Karten von S2 jede Karte von C3 sieht",
  tableNote: "Spalten: die 16 Karten von C3. Zeilen: die 6 Karten von S2.",
  connected: (source, target) => `Karte ${target} von C3 sieht Karte ${source} von S2`,
  notConnected: (source, target) => `Karte ${target} von C3 sieht Karte ${source} von S2 nicht`,
  distances: "Abstand von F6 zum Bild jeder Ziffer",
  logits: "Wert jeder Ziffer vor dem Softmax",
  bitmapOf: "F6 als Bild von 7 × 12",
  layers: {
    lenet5: {
      C1: {
        kind: "Faltung, 5 × 5",
        size: "6 Karten von 28 × 28 · 156 Gewichte · 122.304 Verbindungen",
        does: "Sechs kleine Kerne suchen überall dieselben sechs Muster: Striche einer Richtung, Enden, Kanten.",
      },
      S2: {
        kind: "Trainierbares Subsampling, 2 × 2",
        size: "6 Karten von 14 × 14 · 12 Gewichte · 5.880 Verbindungen",
        does:
          "Jede Einheit addiert vier Nachbarn, multipliziert die Summe mit dem einen Koeffizienten ihrer Karte, addiert " +
          "deren einen Bias und staucht das Ergebnis. Das Training entscheidet, wie sehr eine Karte verwischt, schärft oder umkehrt.",
      },
      C3: {
        kind: "Teilweise verbundene Faltung, 5 × 5",
        size: "16 Karten von 10 × 10 · 1.516 Gewichte · 151.600 Verbindungen",
        does: "Jede Karte sieht nach Tabelle I nur einige von S2, damit verschiedene Karten Verschiedenes finden.",
      },
      S4: {
        kind: "Trainierbares Subsampling, 2 × 2",
        size: "16 Karten von 5 × 5 · 32 Gewichte · 2.000 Verbindungen",
        does: "Wie S2. Jetzt zählt, was gefunden wurde, und nicht mehr genau, wo.",
      },
      C5: {
        kind: "Faltung, 5 × 5",
        size: "120 Karten von 1 × 1 · 48.120 Gewichte",
        does: "Jede Einheit sieht ganz S4 auf einmal. Auf einem längeren Bild gleitet sie: So wird eine Zeile gelesen.",
      },
      F6: {
        kind: "Vollständig verbunden",
        size: "84 Einheiten · 10.164 Gewichte",
        does: "Eine Einheit für jedes Pixel eines Bildes von 7 × 12. Das Training zieht sie zum Bild der gezeigten Ziffer hin.",
      },
      OUTPUT: {
        kind: "Euklidische radiale Basisfunktionen",
        size: "10 Einheiten · keine Gewichte zu lernen",
        does: "Jede misst, wie weit F6 vom Bild ihrer Ziffer entfernt ist. Der kleinste Abstand ist die Antwort.",
      },
    },
    stock_lenet5: {
      C1: {
        kind: "Faltung, 5 × 5",
        size: "6 Karten von 28 × 28 · 156 Gewichte",
        does: "Sechs kleine Kerne suchen überall dieselben sechs Muster. Das Bild ist 28 × 28, mit Nullen ringsum.",
      },
      S2: {
        kind: "Mittelwert-Pooling, 2 × 2",
        size: "6 Karten von 14 × 14 · keine Gewichte",
        does: "Der Mittelwert von vier Nachbarn: immer ein Verwischen, für jede Karte gleich. Hier lernt nichts.",
      },
      C3: {
        kind: "Volle Faltung, 5 × 5",
        size: "16 Karten von 10 × 10 · 2.416 Gewichte",
        does: "Jede Karte sieht alle sechs von S2: 900 Gewichte mehr als mit Tabelle I.",
      },
      S4: {
        kind: "Mittelwert-Pooling, 2 × 2",
        size: "16 Karten von 5 × 5 · keine Gewichte",
        does: "Wie S2: ein Mittelwert ohne Gewichte.",
      },
      C5: {
        kind: "Vollständig verbunden",
        size: "120 Einheiten · 48.120 Gewichte",
        does: "Jede Einheit sieht ganz S4. So kann sie nicht über ein längeres Bild gleiten.",
      },
      F6: {
        kind: "Vollständig verbunden",
        size: "84 Einheiten · 10.164 Gewichte",
        does: "84 Einheiten ohne Bild dahinter: Zu 7 × 12 angeordnet zeigen sie nichts.",
      },
      OUTPUT: {
        kind: "Vollständig verbunden, Softmax",
        size: "10 Einheiten · 850 Gewichte",
        does: "Eine gewichtete Summe für jede Ziffer. Die größte ist die Antwort.",
      },
    },
  },
};
