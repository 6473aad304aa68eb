import { useQueries } from "@tanstack/react-query";
import { isDeleted, jobQuery } from "../jobs/get-job";
import { mustBeLookedAt, PHOTO_STATES, type Job, type PhotoState } from "../jobs/job";
import type { Photo } from "../features/upload/photo";

/** A photo with what the API says about its job. */
export type PhotoWithJob = {
  photo: Photo;
  job: Job | undefined;
  /** Why the last request for the job failed. */
  error: Error | null;
  state: PhotoState;
};

/** The jobs of all photos. Polls the unfinished ones, even while their cards are not shown. */
export function useJobs(photos: readonly Photo[]): PhotoWithJob[] {
  const jobs = useQueries({
    queries: photos.map((photo) => ({ ...jobQuery(photo.jobId ?? photo.id), enabled: isSent(photo) })),
  });
  return photos.map((photo, index) => {
    const { data, error = null } = isSent(photo) ? jobs[index]! : {};
    return { photo, job: data, error, state: stateOf(photo, data, isDeleted(error)) };
  });
}

const isSent = ({ stage, jobId }: Photo) => stage === "sent" && jobId !== undefined;

export function stateOf(photo: Photo, job: Job | undefined, deleted: boolean): PhotoState {
  if (photo.stage === "refused") return "failed";
  if (photo.stage === "cancelled") return "cancelled";
  if (deleted) return "deleted";
  switch (job?.status) {
    case "COMPLETED":
      return mustBeLookedAt(job) ? "look" : "done";
    case "FAILED":
      return "failed";
    case "AWAITING_REVIEW":
      return "review";
    default:
      return "working";
  }
}

/** The number of photos in each state. States without photos are left out. */
export function countStates(photos: readonly PhotoWithJob[]): [PhotoState, number][] {
  return PHOTO_STATES.map((state): [PhotoState, number] => [
    state,
    photos.filter((photo) => photo.state === state).length,
  ]).filter(([, count]) => count > 0);
}
