/** Downloads a file in the browser. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download starts after this task. Its address must be valid until then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
