import { useQuery } from "@tanstack/react-query";
import { ImageOff, Trash2, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Confirm } from "../components/confirm";
import { Notice } from "../components/notice";
import { announce } from "../lib/announcer";
import { failureOf, type Failure } from "../api/failure";
import { bytes, duration, percent, pixels, timeLeft } from "../lib/format";
import { useNow } from "../lib/use-now";
import { useObjectUrl } from "../lib/use-object-url";
import { texts } from "../texts";
import { isDeleted, useJob } from "../jobs/get-job";
import { isFinished, type Job } from "../jobs/job";
import { JobSteps } from "../features/progress/job-steps";
import { stepsOf, workTime } from "../features/progress/steps";
import type { Choices } from "../jobs/choices";
import { ResultView } from "../features/results/result-view";
import { jobsOf, type Photo } from "../features/upload/photo";
import { readFile } from "../features/upload/photo-files";
import { remedyFor } from "../jobs/remedies";
import { usePhotoStore } from "../features/upload/use-photos";

type Props = { photo: Photo; onRemove: (photo: Photo) => Promise<void> };

/** A photo that is being worked on, or its result. */
export function PhotoCard({ photo, onRemove }: Props) {
  const store = usePhotoStore();
  const [confirming, setConfirming] = useState(false);
  const [problem, setProblem] = useState<string>();
  const sent = photo.stage === "sent";
  const job = useJob(sent ? photo.jobId : undefined);
  const before = useOriginal(photo);
  const deleted = sent && isDeleted(job.error);
  const failure = sent ? (job.data?.status === "FAILED" ? job.data.error : undefined) : photo.failure;
  const status = deleted ? texts.card.deleted : statusOf(photo, job.data);
  useAnnouncement(photo, deleted ? undefined : job.data, failure);

  async function remove() {
    setConfirming(false);
    setProblem(undefined);
    await onRemove(photo).catch(() => setProblem(texts.failures.notDeleted));
  }

  async function retry(choices?: Partial<Choices>) {
    setProblem(undefined);
    await store.retry(photo.id, choices).catch((error: unknown) => {
      const { message } = failureOf(error);
      setProblem(message);
      announce(texts.announce.failed(photo.name, message));
    });
  }

  const hasJobs = jobsOf(photo).length > 0;
  const onServer = hasJobs && !deleted;
  const removeLabel = onServer ? texts.card.deleteNow : texts.card.remove;
  const busy = ["checking", "waiting", "reducing", "uploading"].includes(photo.stage);
  return (
    <article className="photo" aria-labelledby={`name-${photo.id}`} id={`photo-${photo.id}`} tabIndex={-1}>
      <header className="photo-head">
        <h3 id={`name-${photo.id}`} title={photo.name}>
          {photo.name}
        </h3>
        <span className={`status is-${toneOf(photo, job.data, deleted)}`}>{status}</span>
        {busy ? (
          <button
            type="button"
            className="button is-small"
            aria-label={`${texts.card.cancel} ${photo.name}`}
            onClick={() => store.cancel(photo.id)}
          >
            <X aria-hidden="true" />
            <span>{texts.card.cancel}</span>
          </button>
        ) : (
          <button
            type="button"
            className="button is-small"
            aria-label={`${removeLabel} ${photo.name}`}
            onClick={() => (onServer ? setConfirming(true) : void remove())}
          >
            <Trash2 aria-hidden="true" />
            <span>{removeLabel}</span>
          </button>
        )}
      </header>
      {problem && <Notice kind="danger">{problem}</Notice>}
      <div className="photo-body">
        {!deleted && job.data?.status === "COMPLETED" ? (
          <ResultView job={job.data} name={photo.name} before={before.url} onRetry={(choices) => void retry(choices)} />
        ) : (
          <>
            {(photo.stage !== "refused" || photo.width) && (
              <Preview photo={photo} url={before.url} missing={before.missing} />
            )}
            <div className="details">
              {photo.stage === "uploading" && <Upload photo={photo} />}
              {photo.stage === "cancelled" && (
                <>
                  <p>{hasJobs ? texts.card.cancelledButNotErased : texts.card.cancelled}</p>
                  <button type="button" className="button is-primary" onClick={() => void retry()}>
                    {texts.card.retry}
                  </button>
                </>
              )}
              {deleted && <p>{texts.card.expired}</p>}
              {failure && !deleted && <FailureView failure={failure} onRetry={(choices) => void retry(choices)} />}
            </div>
          </>
        )}
        {sent && !deleted && <Work photo={photo} job={job.data} error={job.error} />}
        {photo.reducedFrom !== undefined && photo.width && photo.height && (
          <p className="note">
            {texts.card.reduced(bytes(photo.reducedFrom), bytes(photo.bytes), pixels(photo.width, photo.height))}
          </p>
        )}
      </div>
      {confirming && (
        <Confirm
          message={texts.confirm.one(photo.name)}
          onYes={() => void remove()}
          onNo={() => setConfirming(false)}
        />
      )}
    </article>
  );
}

/** The address of the original in this browser. `missing` is true once it is clear that it cannot be shown. */
function useOriginal(photo: Photo): { url: string | undefined; missing: boolean } {
  const readable = photo.width !== undefined;
  const file = useQuery({
    queryKey: ["file", photo.id, photo.reducedFrom],
    queryFn: () => readFile(photo.id),
    networkMode: "always",
    staleTime: Infinity,
    gcTime: 0,
    enabled: readable,
  });
  const url = useObjectUrl(readable ? file.data : undefined);
  return { url, missing: photo.stage !== "checking" && (!readable || file.data === null) };
}

function Preview({ photo, url, missing }: { photo: Photo; url: string | undefined; missing: boolean }) {
  const { width = 4, height = 3 } = photo;
  return (
    <div className="frame" style={{ "--ratio": width / height }}>
      {url && <img src={url} alt={texts.card.before(photo.name)} decoding="async" />}
      {!url && missing && (
        <p className="frame-message">
          <ImageOff aria-hidden="true" />
          {texts.card.noPreview}
        </p>
      )}
    </div>
  );
}

function Upload({ photo }: { photo: Photo }) {
  const fraction = photo.uploaded ?? 0;
  return (
    <div className="upload">
      <progress
        className="progress is-primary"
        max={1}
        value={fraction}
        aria-label={texts.card.uploadOf(photo.name)}
        aria-valuetext={percent(fraction)}
      />
      <p className="note">
        {percent(fraction)} · {texts.card.uploaded(bytes(Math.round(fraction * photo.bytes)), bytes(photo.bytes))}
      </p>
    </div>
  );
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
      {photo.sentAt !== undefined && <Elapsed since={photo.sentAt} />}
      {error && (
        <Notice kind="info">
          {failureOf(error).code === "Offline" ? texts.card.connectionLost : texts.card.serverFailing}
        </Notice>
      )}
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

type FailureProps = { failure: Failure; onRetry: (choices: Partial<Choices>) => void };

function FailureView({ failure, onRetry }: FailureProps) {
  const remedy = remedyFor(failure.code);
  return (
    <>
      <Notice kind="danger">{failure.message}</Notice>
      {remedy && (
        <button type="button" className="button is-primary" onClick={() => onRetry(remedy.choices)}>
          {remedy.label}
        </button>
      )}
    </>
  );
}

function statusOf(photo: Photo, job: Job | undefined): string {
  if (photo.stage !== "sent" || !job) return texts.card.stages[photo.stage];
  if (job.status === "COMPLETED") return texts.card.done;
  return job.status === "FAILED" ? texts.card.failed : texts.card.stages.sent;
}

function toneOf(photo: Photo, job: Job | undefined, deleted: boolean): string {
  if (deleted || photo.stage === "cancelled") return "quiet";
  if (photo.stage === "refused" || job?.status === "FAILED") return "failed";
  return job?.status === "COMPLETED" ? "done" : "busy";
}

/** Announces each new stage to screen readers once. */
function useAnnouncement(photo: Photo, job: Job | undefined, failure: Failure | undefined) {
  const current = job && !isFinished(job) ? stepsOf(job).find((step) => step.state === "current") : undefined;
  let message = texts.announce.stage(photo.name, current ? texts.steps[current.name] : statusOf(photo, job));
  if (failure) message = texts.announce.failed(photo.name, failure.message);
  if (job?.status === "COMPLETED") {
    const outcome = job.faces === 0 ? texts.result.none : texts.result.hidden(job.faces);
    message = texts.announce.stage(photo.name, outcome);
  }
  useEffect(() => announce(message), [message]);
}
