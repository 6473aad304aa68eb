import type { QueryClient } from "@tanstack/react-query";
import { decisionByPlace, facesOf } from "../jobs/decision";
import { jobQuery } from "../jobs/get-job";
import type { Appearance } from "../jobs/job";
import { redoJob } from "../jobs/redo-job";
import { wayToChange } from "../jobs/way-to-change";
import { receiptQuery } from "../features/results/get-receipt";
import { readFile } from "../features/upload/photo-files";
import type { PhotoStore } from "../features/upload/photo-store";
import type { SentPhoto } from "./use-sent-jobs";

/** Does a finished photo again in another style, with the same faces hidden. Returns whether that was possible. */
export async function changeStyleOf(
  { photo, job }: SentPhoto,
  style: Appearance,
  store: PhotoStore,
  client: QueryClient,
): Promise<boolean> {
  if (!job) return false;
  const way = wayToChange(job, (await readFile(photo.id)) !== null, Date.now());
  if (way.way === "redo") {
    await redoJob(job.job_id, style);
    await client.invalidateQueries({ queryKey: jobQuery(job.job_id).queryKey });
    return true;
  }
  if (way.way !== "upload") return false;
  const { boxes } = await client.fetchQuery(receiptQuery(way.job));
  const picture = { width: way.job.result.width, height: way.job.result.height };
  await store.decide(photo.id, decisionByPlace(facesOf(boxes), picture), { ...style, review: "never" });
  return true;
}
