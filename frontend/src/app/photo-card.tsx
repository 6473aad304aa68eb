import { memo } from "react";
import { JobSteps } from "../features/progress/job-steps";
import { stepsOf, workTime } from "../features/progress/steps";
import { ResultView } from "../features/results/result-view";
import { jobsOf, type Photo } from "../features/upload/photo";
import { usePhotoStore } from "../features/upload/use-photos";
import { countKinds, hasResult, isFinished, type Job, type JobInReview } from "../jobs/job";
import { bytes, duration, pixels, timeLeft } from "../lib/format";
import { useNow } from "../lib/use-now";
import { texts } from "../texts";
import { PhotoFrame, type PhotoProps, type Retry } from "./photo-frame";
import {
  ConnectionProblem,
  EditorLink,
  FailureView,
  failureOfPhoto,
  Preview,
  Upload,
  useOriginal,
} from "./photo-parts";

/** A photo in the list view: the work on it, or its result beside the original. */
export const PhotoCard = memo(function PhotoCard(props: PhotoProps) {
  const { photo, job, error, state } = props;
  const original = useOriginal(photo);
  const sent = photo.stage === "sent" && state !== "deleted";
  return (
    <PhotoFrame {...props} className="photo">
      {(retry) => (
        <div className="photo-body">
          {state !== "deleted" && hasResult(job) ? (
            <ResultView
              job={job}
              name={photo.name}
              before={original.url}
              suffix={props.suffix}
              decide={<EditorLink photo={photo} job={job} />}
              onRetry={retry}
            />
          ) : (
            <>
              {(photo.stage !== "refused" || photo.width) && <Preview photo={photo} original={original} />}
              <Stage {...props} retry={retry} />
            </>
          )}
          {sent && job?.status !== "AWAITING_REVIEW" && <Work photo={photo} job={job} error={error} />}
          {photo.reducedFrom && photo.width && photo.height && (
            <p className="note">
              {texts.card.reduced(sizeOf(photo.reducedFrom), sizeOf({ ...photo, ...sizeInPixels(photo) }))}
            </p>
          )}
        </div>
      )}
    </PhotoFrame>
  );
});

const sizeInPixels = ({ width = 0, height = 0 }: Photo) => ({ width, height });

const sizeOf = (file: { bytes: number; width: number; height: number }) =>
  texts.card.size(bytes(file.bytes), pixels(file.width, file.height));

/** The progress of a photo without a result, and the actions for it. */
function Stage(props: PhotoProps & { retry: Retry }) {
  const { photo, job, state, retry } = props;
  const store = usePhotoStore();
  const failure = failureOfPhoto(props);
  const uploads = photo.stage === "uploading";
  return (
    <div className="details">
      {uploads && (store.worksOn(photo.id) ? <Upload photo={photo} /> : <p>{texts.card.elsewhere}</p>)}
      {state === "cancelled" && (
        <>
          <p>{jobsOf(photo).length > 0 ? texts.card.cancelledButNotErased : texts.card.cancelled}</p>
          <button
            type="button"
            className="button is-primary"
            aria-label={`${texts.card.retry}: ${photo.name}`}
            onClick={() => retry()}
          >
            {texts.card.retry}
          </button>
        </>
      )}
      {state === "deleted" && <p>{texts.card.expired}</p>}
      {failure && <FailureView photo={photo} failure={failure} onRetry={retry} />}
      <Decide photo={photo} job={job} />
    </div>
  );
}

/** The way to the editor if the job waits for a decision, and until when it waits. */
function Decide({ photo, job }: { photo: Photo; job: Job | undefined }) {
  if (job?.status !== "AWAITING_REVIEW") return null;
  return (
    <>
      <div>
        <p className="headline">{texts.card.decide}</p>
        <ReviewNote job={job} />
      </div>
      <EditorLink photo={photo} job={job} />
    </>
  );
}

function ReviewNote({ job: { options, review } }: { job: JobInReview }) {
  const remaining = Date.parse(review.expires_at) - useNow(30_000);
  const found = countKinds(review.boxes);
  return <p className="note">{texts.card.reviewNeeded(options.kinds ?? [], found, timeLeft(remaining))}</p>;
}

/** The steps of the job, folded once it is finished. Also connection problems and the remaining time. */
function Work({ photo, job, error }: { photo: Photo; job: Job | undefined; error: Error | null }) {
  const steps = <JobSteps steps={stepsOf(job, photo.uploadMilliseconds)} />;
  if (job && isFinished(job)) {
    const total = workTime(job);
    return (
      <div className="work">
        <details>
          <summary className="note">
            {total === undefined ? texts.steps.label : texts.steps.total(duration(total))}
          </summary>
          {steps}
        </details>
        <Countdown until={job.expires_at} />
      </div>
    );
  }
  return (
    <div className="work">
      {steps}
      {photo.sentAt !== undefined && !hasResult(job) && <Elapsed since={photo.sentAt} />}
      <ConnectionProblem error={error} />
    </div>
  );
}

function Elapsed({ since }: { since: number }) {
  const now = useNow(1000);
  return <p className="note">{texts.card.elapsed(duration(Math.max(1, Math.round((now - since) / 1000)) * 1000))}</p>;
}

function Countdown({ until }: { until: string }) {
  const remaining = Date.parse(until) - useNow(30_000);
  return <p className="note">{remaining > 0 ? texts.card.expires(timeLeft(remaining)) : texts.card.expired}</p>;
}
