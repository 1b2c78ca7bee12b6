/** The page's files: inside the page itself (the single file) or beside it, each compressed by gzip. */

/** The server gave no file, but the HTTP `status`. */
export class MissingFile extends Error {
  constructor(
    readonly file: string,
    readonly status: number,
  ) {
    super(`expected ${file}, got status ${status}`);
  }
}

/** A file is another than the tested one. */
export class DamagedFile extends Error {
  constructor(readonly file: string) {
    super(`expected ${file} as it was tested, got another or a damaged file`);
  }
}

/** The files of the page by name; all but the runtime and the golden vectors are models. */
export interface Files {
  /** Returns a file's content; throws MissingFile, or Error if it is damaged. */
  content(name: string): Promise<Uint8Array>;
}

/** The 85 characters that stand for digits: all that need no care within a <script> of HTML. */
export const ALPHABET =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?_~()[]{}@%$#,";

const GZIP = [0x1f, 0x8b];

/** Returns the files of this page: those inside it, or those in the folder `files` beside it. */
export function filesOf(page: Document): Files {
  return {
    content: async (name) => {
      const inside = page.getElementById(`file:${name}`);
      return inflated(
        inside ? decoded(inside.textContent, Number(inside.dataset.bytes)) : await fetched(name),
      );
    },
  };
}

async function fetched(name: string): Promise<Uint8Array> {
  const response = await fetch(`./files/${name}.gz`);
  if (!response.ok) throw new MissingFile(name, response.status);
  return new Uint8Array(await response.arrayBuffer());
}

/** Returns the content of gzipped `bytes`. Some servers send a .gz file so that the browser has inflated it. */
async function inflated(bytes: Uint8Array): Promise<Uint8Array> {
  if (!GZIP.every((byte, i) => bytes[i] === byte)) return bytes;
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Returns the `count` bytes that `text` stands for: five characters for four bytes, the first the highest. */
export function decoded(text: string, count: number): Uint8Array {
  const values = new Uint8Array(128);
  for (let i = 0; i < ALPHABET.length; i++) values[ALPHABET.charCodeAt(i)] = i;
  const view = new DataView(new ArrayBuffer((text.length / 5) * 4));
  for (let at = 0; at < text.length; at += 5) {
    let word = 0;
    for (let i = at; i < at + 5; i++) word = word * 85 + values[text.charCodeAt(i)];
    view.setUint32((at / 5) * 4, word);
  }
  return new Uint8Array(view.buffer, 0, count);
}

/** Returns `bytes` as text, the reverse of `decoded`. */
export function encoded(bytes: Uint8Array): string {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const words: string[] = [];
  for (let at = 0; at < padded.length; at += 4) {
    let word = view.getUint32(at);
    let text = "";
    for (let i = 0; i < 5; i++) {
      text = ALPHABET[word % 85] + text;
      word = Math.floor(word / 85);
    }
    words.push(text);
  }
  return words.join("");
}

/** Throws DamagedFile unless `bytes` are those of `sha256`; a page that is not served securely has no way to tell. */
export async function checkSha256(name: string, bytes: Uint8Array, sha256: string): Promise<void> {
  if (!globalThis.crypto?.subtle) return;
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  const found = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) throw new DamagedFile(name);
}
