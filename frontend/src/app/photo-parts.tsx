import { useQuery } from "@tanstack/react-query";
import { Eye, ImageOff, Pencil } from "lucide-react";
import { Notice } from "../components/notice";
import { readFile } from "../features/upload/photo-files";
import type { Photo } from "../features/upload/photo";
import { usePhotoStore } from "../features/upload/use-photos";
import { failureOf, type Failure } from "../api/failure";
import type { Job } from "../jobs/job";
import { remedyFor } from "../jobs/remedies";
import { bytes, percent } from "../lib/format";
import { useObjectUrl } from "../lib/use-object-url";
import { texts } from "../texts";
import type { Retry } from "./photo-frame";
import type { PhotoWithJob } from "./photo-state";

/** The address of the original in this browser. `missing` is true once it is clear that it cannot be shown. */
export function useOriginal(photo: Photo): { url: string | undefined; missing: boolean } {
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

export function Preview({ photo, original }: { photo: Photo; original: ReturnType<typeof useOriginal> }) {
  const { width = 4, height = 3 } = photo;
  return (
    <div className="frame" style={{ "--ratio": width / height }}>
      {original.url && <img src={original.url} alt={texts.card.before(photo.name)} decoding="async" />}
      {!original.url && original.missing && (
        <p className="frame-message">
          <ImageOff aria-hidden="true" />
          {texts.card.noPreview}
        </p>
      )}
    </div>
  );
}

export function Upload({ photo }: { photo: Photo }) {
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

/** The failure of a photo or of its job. */
export function failureOfPhoto({ photo, job, state }: PhotoWithJob): Failure | undefined {
  if (state !== "failed") return undefined;
  return job?.status === "FAILED" ? job.error : photo.failure;
}

/** The error, with a button to try again if that may help, and one to go back to an earlier result if there is one. */
export function FailureView({ photo, failure, onRetry }: { photo: Photo; failure: Failure; onRetry: Retry }) {
  const store = usePhotoStore();
  const remedy = remedyFor(failure.code);
  return (
    <>
      <Notice kind="danger">{failure.message}</Notice>
      {remedy && (
        <button
          type="button"
          className="button is-primary"
          aria-label={`${remedy.label}: ${photo.name}`}
          onClick={() => onRetry(remedy.choices)}
        >
          {remedy.label}
        </button>
      )}
      {photo.replaces && (
        <button
          type="button"
          className="button"
          aria-label={`${texts.card.keepEarlier}: ${photo.name}`}
          onClick={() => store.keepEarlier(photo.id)}
        >
          {texts.card.keepEarlier}
        </button>
      )}
    </>
  );
}

/** The link to the editor, if there is something to decide. */
export function EditorLink({ photo, job }: { photo: Photo; job: Job | undefined }) {
  if (job?.status !== "AWAITING_REVIEW" && job?.status !== "COMPLETED") return null;
  const reviews = job.status === "AWAITING_REVIEW";
  const label = reviews ? texts.card.review : texts.card.change;
  const Icon = reviews ? Eye : Pencil;
  return (
    <a
      className={reviews ? "button is-primary" : "button"}
      href={`#photo=${photo.id}`}
      aria-label={`${label} ${photo.name}`}
    >
      <Icon aria-hidden="true" />
      <span>{label}</span>
    </a>
  );
}

/** Why the API cannot be asked for the job at the moment. */
export function ConnectionProblem({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <Notice kind="info">
      {failureOf(error).code === "Offline" ? texts.card.connectionLost : texts.card.serverFailing}
    </Notice>
  );
}
