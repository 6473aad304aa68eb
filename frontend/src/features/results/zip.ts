import { Refused } from "../../lib/failure";
import { texts } from "../../texts";
import { distinct } from "./file-name";

/** One file that holds all results; the packer is loaded when it is needed first. */
export async function zip(files: readonly { name: string; blob: Blob }[]): Promise<Blob> {
  const { downloadZip } = await import("client-zip").catch(() => {
    throw new Refused("PageOutdated", texts.failures.outdated); // gone from the server, since there is a newer page
  });
  const names = distinct(files.map((file) => file.name));
  return downloadZip(files.map(({ blob }, index) => ({ name: names[index]!, input: blob }))).blob();
}
