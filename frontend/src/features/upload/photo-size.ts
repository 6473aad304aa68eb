/** Width and height in pixels, of the upright photo. */
export type Size = { width: number; height: number };

/** The size of a photo, or undefined if the browser cannot read it. */
export async function sizeOf(file: Blob): Promise<Size | undefined> {
  const url = URL.createObjectURL(file);
  try {
    return await new Promise<Size | undefined>((resolve) => {
      const image = new Image();
      image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
      image.onerror = () => resolve(undefined);
      image.src = url;
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
