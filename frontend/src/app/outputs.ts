import type { QueryClient } from "@tanstack/react-query";
import type { CompletedJob } from "../jobs/job";
import { fileName, uniqueNames } from "../features/results/file-name";
import { resultQuery } from "../features/results/get-result";
import { zip } from "../features/results/zip";
import { save } from "../lib/save";
import { texts } from "../texts";
import type { PhotoWithJob } from "./photo-state";

/** The photos that can be downloaded: those with a result that is not being replaced. */
export const withResult = (photos: readonly PhotoWithJob[]) =>
  photos.flatMap(({ photo, job }) => (job?.status === "COMPLETED" ? [{ name: photo.name, job }] : []));

type Completed = { name: string; job: CompletedJob };

/** The results as files, each with its own name. Throws Refused. */
export async function resultFiles(client: QueryClient, photos: readonly Completed[], suffix: string): Promise<File[]> {
  const names = uniqueNames(photos.map(({ name, job }) => fileName(name, job, suffix)));
  return Promise.all(
    photos.map(async ({ job }, index) => {
      const blob = await client.fetchQuery(resultQuery(job));
      return new File([blob], names[index]!, { type: job.result.content_type });
    }),
  );
}

/** Saves a single file as it is, and several files in one ZIP file. */
export async function saveFiles(files: readonly File[]): Promise<void> {
  const [first] = files;
  if (first && files.length === 1) save(first, first.name);
  else save(await zip(files), texts.list.zipName);
}
