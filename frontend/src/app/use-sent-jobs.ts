import { useQueries } from "@tanstack/react-query";
import { jobQuery } from "../jobs/get-job";
import type { Job } from "../jobs/job";
import type { Photo } from "../features/upload/photo";
import { usePhotos } from "../features/upload/use-photos";

/** A photo that has been uploaded, and its job after the first answer of the server. */
export type SentPhoto = { photo: Photo; job: Job | undefined };

/** The photos that have been uploaded, in the order of the list, with their jobs. The list polls the jobs, not this. */
export function useSentJobs(): SentPhoto[] {
  const sent = usePhotos().filter((photo) => photo.stage === "sent" && photo.jobId !== undefined);
  const jobs = useQueries({ queries: sent.map((photo) => ({ ...jobQuery(photo.jobId ?? ""), enabled: false })) });
  return sent.map((photo, index) => ({ photo, job: jobs[index]?.data }));
}
