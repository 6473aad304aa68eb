import { Refused } from "../../api/failure";
import { texts } from "../../texts";

/** Packs files into one ZIP file. The packer is loaded on first use. Throws Refused if it cannot be loaded. */
export async function zip(files: readonly File[]): Promise<Blob> {
  const { downloadZip } = await import("client-zip").catch(() => {
    throw new Refused("PageOutdated", texts.failures.outdated); // a newer version of the page has replaced it on the server
  });
  return downloadZip(files).blob();
}
