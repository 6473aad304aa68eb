/** Hands a file to the person, as the browser's download. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download begins after this task; its address must live until then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
