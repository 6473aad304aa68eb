import { useQueries, useQueryClient } from "@tanstack/react-query";
import { Download, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { Confirm } from "../components/confirm";
import { Notice } from "../components/notice";
import { announce } from "../lib/announcer";
import { failureOf } from "../api/failure";
import { save } from "../lib/save";
import { texts } from "../texts";
import { jobQuery } from "../jobs/get-job";
import type { CompletedJob } from "../jobs/job";
import { resultQuery } from "../features/results/get-result";
import { fileName } from "../features/results/file-name";
import { zip } from "../features/results/zip";
import type { Photo } from "../features/upload/photo";
import { PhotoCard } from "./photo-card";
import { usePhotos, usePhotoStore } from "../features/upload/use-photos";

/** The cards of all photos, and the buttons for all photos together. */
export function PhotoList() {
  const store = usePhotoStore();
  const photos = usePhotos();
  const client = useQueryClient();
  const heading = useRef<HTMLHeadingElement>(null);
  const completed = useCompleted(photos);
  const [zipping, setZipping] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function downloadAll() {
    setZipping(true);
    setProblem(undefined);
    try {
      const files = await Promise.all(
        completed.map(async ({ photo, job }) => ({
          name: fileName(photo.name, job.result.content_type),
          blob: await client.fetchQuery(resultQuery(job.job_id)),
        })),
      );
      save(await zip(files), texts.list.zipName);
    } catch (error) {
      setProblem(failureOf(error).message);
    } finally {
      setZipping(false);
    }
  }

  async function remove(photo: Photo) {
    const index = photos.indexOf(photo);
    const next = photos[index + 1] ?? photos[index - 1];
    await store.remove(photo.id);
    announce(texts.announce.deleted(photo.name));
    (next ? document.getElementById(`photo-${next.id}`) : heading.current)?.focus();
  }

  async function removeAll() {
    setConfirming(false);
    setProblem(undefined);
    const outcomes = await Promise.allSettled(photos.map((photo) => store.remove(photo.id)));
    if (outcomes.some(({ status }) => status === "rejected")) setProblem(texts.failures.notDeleted);
    else announce(texts.announce.deletedAll);
    heading.current?.focus();
  }

  return (
    <section aria-labelledby="photos" className="photos">
      <header className="photos-head">
        <h2 id="photos" tabIndex={-1} ref={heading}>
          {photos.length > 0 ? texts.list.heading(photos.length) : texts.main}
        </h2>
        {completed.length > 1 && (
          <button type="button" className="button" disabled={zipping} onClick={() => void downloadAll()}>
            <Download aria-hidden="true" />
            <span>{zipping ? texts.list.zipping : texts.list.downloadAll(completed.length)}</span>
          </button>
        )}
        {photos.length > 1 && (
          <button type="button" className="button" onClick={() => setConfirming(true)}>
            <Trash2 aria-hidden="true" />
            <span>{texts.list.deleteAll}</span>
          </button>
        )}
      </header>
      {problem && <Notice kind="danger">{problem}</Notice>}
      {photos.length === 0 && <p className="empty">{texts.list.empty}</p>}
      <div className="cards">
        {photos.map((photo) => (
          <PhotoCard key={photo.id} photo={photo} onRemove={remove} />
        ))}
      </div>
      {confirming && (
        <Confirm
          message={texts.confirm.all(photos.length)}
          onYes={() => void removeAll()}
          onNo={() => setConfirming(false)}
        />
      )}
    </section>
  );
}

/** The photos whose jobs are completed. The cards poll the jobs; this only reads what they know. */
function useCompleted(photos: readonly Photo[]): { photo: Photo; job: CompletedJob }[] {
  const sent = photos.filter((photo) => photo.stage === "sent" && photo.jobId !== undefined);
  const jobs = useQueries({ queries: sent.map((photo) => ({ ...jobQuery(photo.jobId!), enabled: false })) });
  return sent.flatMap((photo, index) => {
    const job = jobs[index]?.data;
    return job?.status === "COMPLETED" ? [{ photo, job }] : [];
  });
}
