import type { QueryClient } from "@tanstack/react-query";
import { failureOf } from "../api/failure";
import { decisionByPlace, regionsOf } from "../jobs/decision";
import { jobQuery } from "../jobs/get-job";
import type { Appearance } from "../jobs/job";
import { redoJob } from "../jobs/redo-job";
import { wayToChange } from "../jobs/way-to-change";
import { receiptQuery } from "../features/results/get-receipt";
import { readFile } from "../features/upload/photo-files";
import type { PhotoStore } from "../features/upload/photo-store";
import { texts } from "../texts";
import type { SentPhoto } from "./use-sent-jobs";

/**
 * Does finished photos again in another style, with the same places hidden. Returns a message for the person: the number
 * of photos, and why the others are left out.
 */
export async function changeStyles(
  photos: readonly SentPhoto[],
  style: Appearance,
  store: PhotoStore,
  client: QueryClient,
): Promise<string> {
  const outcomes = await Promise.allSettled(photos.map((photo) => changeStyleOf(photo, style, store, client)));
  const reasons = outcomes.flatMap((outcome) => {
    if (outcome.status === "rejected") return failureOf(outcome.reason).message;
    return outcome.value ?? [];
  });
  const leftOut = [...new Set(reasons)].map((reason) =>
    texts.editor.leftOut(reasons.filter((other) => other === reason).length, reason),
  );
  return [texts.editor.applied(photos.length - reasons.length), ...leftOut].join(" ");
}

/** Does a photo again if it is finished. Otherwise returns the reason why not. Throws Refused. */
async function changeStyleOf(
  { photo, job }: SentPhoto,
  style: Appearance,
  store: PhotoStore,
  client: QueryClient,
): Promise<string | undefined> {
  if (!job) return texts.editor.reasons.working;
  const way = wayToChange(job, (await readFile(photo.id)) !== null, Date.now());
  if (way.way === "redo") {
    await redoJob(job.job_id, style);
    await client.invalidateQueries({ queryKey: jobQuery(job.job_id).queryKey });
    return undefined;
  }
  if (way.way !== "upload") return texts.editor.reasons[way.way];
  const { boxes } = await client.fetchQuery(receiptQuery(way.job));
  await store.decide(photo.id, decisionByPlace(regionsOf(boxes)), { ...style, review: "never" });
  return undefined;
}
