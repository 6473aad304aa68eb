/** A file that starts like a JPEG. */
export function photo(name = "street.jpg", bytes = 2000): File {
  const content = new Uint8Array(bytes);
  content.set([0xff, 0xd8, 0xff, 0xe0]);
  return new File([content], name, { type: "image/jpeg" });
}
