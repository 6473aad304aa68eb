import { useEffect } from "react";
import { stepsOf } from "../features/progress/steps";
import { outcomeOf } from "../features/results/outcome";
import { isFinished } from "../jobs/job";
import { announce } from "../lib/announcer";
import { texts } from "../texts";
import { statusOf } from "./photo-frame";
import { failureOfPhoto } from "./photo-parts";
import type { PhotoWithJob } from "./photo-state";

/** Announces each new stage of a photo to screen readers once, whether the photo is shown or not. */
export function StageAnnouncer(props: PhotoWithJob) {
  const message = messageOf(props);
  useEffect(() => announce(message), [message]);
  return null;
}

function messageOf(props: PhotoWithJob): string {
  const { photo, job, state } = props;
  const failure = failureOfPhoto(props);
  if (failure) return texts.announce.failed(photo.name, failure.message);
  if (job?.status === "COMPLETED" && state !== "deleted") return texts.announce.stage(photo.name, outcomeOf(job));
  const working = state === "working" && job && !isFinished(job);
  const current = working ? stepsOf(job).find((step) => step.state === "current") : undefined;
  return texts.announce.stage(photo.name, current ? texts.steps[current.name] : statusOf(photo, state));
}
