import { useQuery } from "@tanstack/react-query";
import { ImageOff, Trash2, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Confirm } from "../../components/confirm";
import { Notice } from "../../components/notice";
import { announce } from "../../lib/announcer";
import { failureOf, type Failure } from "../../lib/failure";
import { bytes, duration, percent, pixels, timeLeft } from "../../lib/format";
import { useNow } from "../../lib/use-now";
import { useObjectUrl } from "../../lib/use-object-url";
import { texts } from "../../texts";
import { isGone, useJob } from "../jobs/api/get-job";
import { isFinished, type Job } from "../jobs/job";
import { JobSteps } from "../jobs/job-steps";
import { stepsOf, workTime } from "../jobs/steps";
import type { Choices } from "../options/options";
import { ResultView } from "../results/result-view";
import { jobsOf, type Photo } from "./photo";
import { readFile } from "./photo-files";
import { remedyFor } from "./remedies";
import { usePhotoStore } from "./use-photos";

type Props = { photo: Photo; onRemove: (photo: Photo) => Promise<void> };

/** A photo on its way, or its result. */
export function PhotoCard({ photo, onRemove }: Props) {
  const store = usePhotoStore();
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const sent = photo.stage === "sent";
  const job = useJob(sent ? photo.jobId : undefined);
  const before = useBefore(photo);
  const gone = sent && isGone(job.error);
  const failure = sent ? (job.data?.status === "FAILED" ? job.data.error : undefined) : photo.failure;
  const status = gone ? texts.card.gone : statusOf(photo, job.data);
  useAnnouncement(photo, gone ? undefined : job.data, failure);

  async function remove() {
    setAsking(false);
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

  const known = jobsOf(photo).length > 0;
  const erasable = known && !gone;
  const removal = erasable ? texts.card.deleteNow : texts.card.remove;
  const busy = ["checking", "waiting", "reducing", "uploading"].includes(photo.stage);
  return (
    <article className="photo" aria-labelledby={`name-${photo.id}`} id={`photo-${photo.id}`} tabIndex={-1}>
      <header className="photo-head">
        <h3 id={`name-${photo.id}`} title={photo.name}>
          {photo.name}
        </h3>
        <span className={`status is-${toneOf(photo, job.data, gone)}`}>{status}</span>
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
            aria-label={`${removal} ${photo.name}`}
            onClick={() => (erasable ? setAsking(true) : void remove())}
          >
            <Trash2 aria-hidden="true" />
            <span>{removal}</span>
          </button>
        )}
      </header>
      {problem && <Notice kind="danger">{problem}</Notice>}
      <div className="photo-body">
        {!gone && job.data?.status === "COMPLETED" ? (
          <ResultView job={job.data} name={photo.name} before={before.url} onRetry={(choices) => void retry(choices)} />
        ) : (
          <>
            {(photo.stage !== "refused" || photo.width) && (
              <Preview photo={photo} url={before.url} known={before.known} />
            )}
            <div className="details">
              {photo.stage === "uploading" && <Upload photo={photo} />}
              {photo.stage === "cancelled" && (
                <>
                  <p>{known ? texts.card.cancelledUnheard : texts.card.cancelled}</p>
                  <button type="button" className="button is-primary" onClick={() => void retry()}>
                    {texts.card.retry}
                  </button>
                </>
              )}
              {gone && <p>{texts.card.expired}</p>}
              {failure && !gone && <FailureView failure={failure} onRetry={(choices) => void retry(choices)} />}
            </div>
          </>
        )}
        {sent && !gone && <Work photo={photo} job={job.data} lost={job.isError ? job.error : null} />}
        {photo.reducedFrom !== undefined && photo.width && photo.height && (
          <p className="note">
            {texts.card.reduced(bytes(photo.reducedFrom), bytes(photo.bytes), pixels(photo.width, photo.height))}
          </p>
        )}
      </div>
      {asking && (
        <Confirm message={texts.confirm.one(photo.name)} onYes={() => void remove()} onNo={() => setAsking(false)} />
      )}
    </article>
  );
}

/** The photo before, from this browser; `known` once it is clear whether it can be shown. */
function useBefore(photo: Photo): { url: string | undefined; known: boolean } {
  const shown = photo.width !== undefined;
  const file = useQuery({
    queryKey: ["file", photo.id, photo.reducedFrom],
    queryFn: () => readFile(photo.id),
    networkMode: "always",
    staleTime: Infinity,
    gcTime: 0,
    enabled: shown,
  });
  const url = useObjectUrl(shown ? file.data : undefined);
  return { url, known: photo.stage !== "checking" && (!shown || file.data === null) };
}

function Preview({ photo, url, known }: { photo: Photo; url: string | undefined; known: boolean }) {
  const { width = 4, height = 3 } = photo;
  return (
    <div className="frame" style={{ "--ratio": width / height }}>
      {url && <img src={url} alt={texts.card.before(photo.name)} decoding="async" />}
      {!url && known && (
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

/** The steps of the job, in brief once they are done; news of the connection; the time that is left. */
function Work({ photo, job, lost }: { photo: Photo; job: Job | undefined; lost: Error | null }) {
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
      {lost && (
        <Notice kind="info">{failureOf(lost).code === "Offline" ? texts.card.lost : texts.card.slowToAnswer}</Notice>
      )}
    </div>
  );
}

function Elapsed({ since }: { since: number }) {
  const now = useNow(1000);
  return <p className="note">{texts.card.elapsed(duration(Math.max(1, Math.round((now - since) / 1000)) * 1000))}</p>;
}

function Countdown({ until }: { until: string }) {
  const left = Date.parse(until) - useNow(30_000);
  return <p className="note">{left > 0 ? texts.card.expires(timeLeft(left)) : texts.card.expired}</p>;
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

function toneOf(photo: Photo, job: Job | undefined, gone: boolean): string {
  if (gone || photo.stage === "cancelled") return "quiet";
  if (photo.stage === "refused" || job?.status === "FAILED") return "failed";
  return job?.status === "COMPLETED" ? "done" : "busy";
}

/** Tells screen readers each new stage, once. */
function useAnnouncement(photo: Photo, job: Job | undefined, failure: Failure | undefined) {
  const current = job && !isFinished(job) ? stepsOf(job).find((step) => step.state === "current") : undefined;
  let news = texts.announce.stage(photo.name, current ? texts.steps[current.name] : statusOf(photo, job));
  if (failure) news = texts.announce.failed(photo.name, failure.message);
  if (job?.status === "COMPLETED") {
    const outcome = job.faces === 0 ? texts.result.none : texts.result.hidden(job.faces);
    news = texts.announce.stage(photo.name, outcome);
  }
  useEffect(() => announce(news), [news]);
}
