import type { QueryClient } from "@tanstack/react-query";
import type { CompletedJob } from "../jobs/job";
import { fileName, uniqueNames } from "../features/results/file-name";
import { resultQuery } from "../features/results/get-result";
import { zip } from "../features/results/zip";
import { save } from "../lib/save";
import { texts } from "../texts";
import type { PhotoWithJob } from "./photo-state";

/** The photos that can be downloaded: those with a result that is neither deleted nor being replaced. */
export const withResult = (photos: readonly PhotoWithJob[]) =>
  photos.flatMap(({ photo, job, state }) =>
    job?.status === "COMPLETED" && state !== "deleted" ? [{ name: photo.name, job }] : [],
  );

type Completed = { name: string; job: CompletedJob };

type Files = {
  files: File[];
  /** The names of the photos whose results could not be loaded. */
  missing: string[];
};

/** The results as files, each with its own name. Throws Refused if none could be loaded. */
export async function resultFiles(client: QueryClient, photos: readonly Completed[], suffix: string): Promise<Files> {
  const names = uniqueNames(photos.map(({ name, job }) => fileName(name, job, suffix)));
  const outcomes = await Promise.allSettled(
    photos.map(async ({ job }, index) => {
      const blob = await client.fetchQuery(resultQuery(job));
      return new File([blob], names[index]!, { type: job.result.content_type });
    }),
  );
  const files = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []));
  const failed = outcomes.find(({ status }) => status === "rejected");
  if (files.length === 0 && failed?.status === "rejected") throw failed.reason;
  return {
    files,
    missing: photos.filter((_, index) => outcomes[index]?.status === "rejected").map(({ name }) => name),
  };
}

/** Saves a single file as it is, and several files in one ZIP file. */
export async function saveFiles(files: readonly File[]): Promise<void> {
  const [first] = files;
  if (first && files.length === 1) save(first, first.name);
  else save(await zip(files), texts.list.zipName);
}
