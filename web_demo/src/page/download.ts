/** Gives a text to the person as a file. */

export function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  // The browser takes the content over after this task.
  setTimeout(() => URL.revokeObjectURL(link.href));
}
