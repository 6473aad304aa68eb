import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { memo, useState } from "react";
import { DEFAULT_SUFFIX, fileName } from "../features/results/file-name";
import { resultQuery } from "../features/results/get-result";
import { outcomeOf } from "../features/results/outcome";
import { stepsOf } from "../features/progress/steps";
import type { Photo } from "../features/upload/photo";
import { usePhotoStore } from "../features/upload/use-photos";
import { hasResult, type CompletedJob, type JobWithResult } from "../jobs/job";
import { save } from "../lib/save";
import { useObjectUrl } from "../lib/use-object-url";
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

/** A photo in the grid view: its picture, its state, and the most frequent actions. */
export const PhotoTile = memo(function PhotoTile(props: PhotoProps) {
  const { photo, job, state } = props;
  const shown = state !== "deleted" && hasResult(job);
  return (
    <PhotoFrame {...props} className="photo is-tile">
      {(retry) => (
        <>
          {shown ? <ResultPicture job={job} photo={photo} /> : <OriginalPicture photo={photo} />}
          <Outcome {...props} retry={retry} />
          <div className="buttons">
            {state !== "deleted" && <EditorLink photo={photo} job={job} />}
            {state !== "deleted" && job?.status === "COMPLETED" && (
              <DownloadButton name={photo.name} job={job} suffix={props.suffix} />
            )}
          </div>
        </>
      )}
    </PhotoFrame>
  );
});

function OriginalPicture({ photo }: { photo: Photo }) {
  return <Preview photo={photo} original={useOriginal(photo)} />;
}

function ResultPicture({ job, photo }: { job: JobWithResult; photo: Photo }) {
  const [unreadable, setUnreadable] = useState(false);
  const result = useQuery(resultQuery(job));
  const url = useObjectUrl(result.data);
  return (
    <div className="frame" style={{ "--ratio": job.result.width / job.result.height }}>
      {url && !unreadable && (
        <img src={url} alt={texts.result.afterAlt(photo.name)} decoding="async" onError={() => setUnreadable(true)} />
      )}
      {!url && !result.isError && <p className="frame-message is-loading">{texts.result.loading}</p>}
      {unreadable && <p className="frame-message">{texts.result.unreadable}</p>}
      {result.isError && <p className="frame-message">{texts.result.unavailable}</p>}
    </div>
  );
}

/** One line: what is hidden, the current work, or the error. */
function Outcome(props: PhotoProps & { retry: Retry }) {
  const { photo, job, error, state, retry } = props;
  const store = usePhotoStore();
  const failure = failureOfPhoto(props);
  if (failure) return <FailureView photo={photo} failure={failure} onRetry={retry} />;
  if (state === "deleted") return <p className="note">{texts.card.expired}</p>;
  if (photo.stage === "uploading") {
    return store.worksOn(photo.id) ? <Upload photo={photo} /> : <p className="note">{texts.card.elsewhere}</p>;
  }
  if (photo.stage !== "sent") return null;
  if (job?.status === "COMPLETED") return <p>{outcomeOf(job)}</p>;
  if (job?.status === "AWAITING_REVIEW") return <p>{texts.card.decide}</p>;
  const current = stepsOf(job).find((step) => step.state === "current");
  return (
    <>
      {current && <p className="note">{texts.steps[current.name]}</p>}
      <ConnectionProblem error={error} />
    </>
  );
}

function DownloadButton({ name, job, suffix }: { name: string; job: CompletedJob; suffix: string }) {
  const { data } = useQuery(resultQuery(job));
  return (
    <button
      type="button"
      className="button is-primary"
      disabled={!data}
      aria-label={`${texts.result.download} ${name}`}
      onClick={() => data && save(data, fileName(name, job, suffix || DEFAULT_SUFFIX))}
    >
      <Download aria-hidden="true" />
      <span>{texts.result.download}</span>
    </button>
  );
}
