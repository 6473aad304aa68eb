import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { Notice } from "../components/notice";
import { useNow } from "../lib/use-now";
import { useObjectUrl } from "../lib/use-object-url";
import { texts } from "../texts";
import { appearanceOf } from "../jobs/choices";
import { changesOf, decisionByPlace, regionsOf } from "../jobs/decision";
import { isDeleted, jobQuery } from "../jobs/get-job";
import type { Appearance, Box, Job } from "../jobs/job";
import { redoJob } from "../jobs/redo-job";
import { reviewJob } from "../jobs/review-job";
import { wayToChange, type WayToChange } from "../jobs/way-to-change";
import { Editor } from "../features/editor/editor";
import { EditorFrame } from "../features/editor/editor-frame";
import { begin, type Edited, type Editing } from "../features/editor/editing";
import { useSource } from "../features/editor/use-source";
import { receiptQuery } from "../features/results/get-receipt";
import { resultQuery } from "../features/results/get-result";
import type { Photo } from "../features/upload/photo";
import { readFile } from "../features/upload/photo-files";
import { usePhotos, usePhotoStore } from "../features/upload/use-photos";
import { closeEditor, showInEditor, type EditorPlace } from "./editor-place";
import { useSentJobs } from "./use-sent-jobs";
import { changeStyles } from "./change-style";

/** Unfinished decisions, by the run of the job. They are kept when the person goes to another photo, but not on reload. */
const drafts = new Map<string, Editing>();

/** The editor on a photo of the list, or on any job. */
export default function EditorPage({ place }: { place: EditorPlace }) {
  const photos = usePhotos();
  const photo = photos.find(({ id, jobId }) => ("photo" in place ? id === place.photo : jobId === place.job));
  const sent = useSentJobs().filter(({ job }) => job?.status !== "FAILED");
  const index = sent.findIndex((each) => each.photo.id === photo?.id);
  const show = (other: { photo: Photo } | undefined) => other && (() => showInEditor(other.photo.id));
  const jobId = "job" in place ? place.job : photo?.jobId;
  return (
    <EditorFrame
      name={photo?.name ?? texts.editor.unnamed}
      position={index >= 0 && sent.length > 1 ? { index, count: sent.length } : undefined}
      onPrevious={show(sent[index - 1])}
      onNext={show(sent[index + 1])}
      onClose={closeEditor}
    >
      <JobEditor key={jobId} jobId={jobId} photo={photo} />
    </EditorFrame>
  );
}

function JobEditor({ jobId, photo }: { jobId: string | undefined; photo: Photo | undefined }) {
  const now = useNow(30_000);
  const job = useQuery({ ...jobQuery(jobId ?? ""), enabled: jobId !== undefined });
  const file = useQuery({
    queryKey: ["file", photo?.id, photo?.reducedFrom],
    queryFn: () => readFile(photo?.id ?? ""),
    networkMode: "always",
    staleTime: Infinity,
    gcTime: 0,
    enabled: photo !== undefined,
  });
  if ((!jobId && !photo) || isDeleted(job.error)) return <Message>{texts.editor.unknown}</Message>;
  if (photo && file.isPending) return <Message>{texts.editor.loading}</Message>;
  if (photo && photo.stage !== "sent") return <Message>{texts.editor.working}</Message>;
  if (!job.data) return <Message>{texts.editor.loading}</Message>;
  const way = wayToChange(job.data, Boolean(file.data), now);
  if (!("job" in way)) return <Message>{texts.editor[way.way]}</Message>;
  // A browser that could not read the photo's size cannot show it.
  const original = photo?.width === undefined ? undefined : (file.data ?? undefined);
  const key = runOf(way.job);
  return way.way === "review" ? (
    <LoadingReview key={key} way={way} photo={photo} original={original} />
  ) : (
    <LoadingResult key={key} way={way} photo={photo} original={original} />
  );
}

/** Identifies the run of a job to whose regions a decision belongs. */
const runOf = ({ job_id, status, progress }: Job) => [job_id, status, progress.detect, progress.finished].join(" ");

const Message = ({ children }: { children: string }) => (
  <div className="editor-message">
    <Notice kind="info">{children}</Notice>
  </div>
);

type Ready = Extract<WayToChange, { job: Job }>;
type LoadingProps<Way extends Ready> = { way: Way; photo: Photo | undefined; original: Blob | undefined };

/** The regions come with the review, and the picture is the photo in this browser or the preview. */
function LoadingReview({ way, photo, original }: LoadingProps<Extract<Ready, { way: "review" }>>) {
  const { preview, boxes } = way.job.review;
  // A link to the preview expires after five minutes. The first link is used at once, so later ones are not needed.
  const [link] = useState(preview.url);
  const local = useObjectUrl(original);
  return <Loaded way={way} photo={photo} boxes={boxes} url={original ? local : link} note={undefined} />;
}

/** The regions come from the receipt, and the picture is the photo in this browser or the result. */
function LoadingResult({ way, photo, original }: LoadingProps<Exclude<Ready, { way: "review" }>>) {
  const receipt = useQuery(receiptQuery(way.job));
  const result = useQuery({ ...resultQuery(way.job), enabled: !original });
  const url = useObjectUrl(original ?? result.data);
  if (receipt.isError || result.isError) return <Message>{texts.result.unavailable}</Message>;
  const note = way.way === "upload" ? texts.editor.uploads : original ? undefined : texts.editor.onlyResult;
  return <Loaded way={way} photo={photo} boxes={receipt.data?.boxes} url={url} note={note} />;
}

type LoadedProps = {
  way: Ready;
  photo: Photo | undefined;
  boxes: readonly Box[] | undefined;
  url: string | undefined;
  note: string | undefined;
};

function Loaded({ boxes, url, ...rest }: LoadedProps) {
  const loaded = useSource(url);
  if (loaded === null) return <Message>{texts.editor.unreadable}</Message>;
  if (!url || !loaded || !boxes) return <Message>{texts.editor.loading}</Message>;
  return <Deciding {...rest} boxes={boxes} url={url} loaded={loaded} />;
}

type DecidingProps = {
  way: Ready;
  photo: Photo | undefined;
  boxes: readonly Box[];
  url: string;
  loaded: NonNullable<ReturnType<typeof useSource>>;
  note: string | undefined;
};

function Deciding({ way, photo, boxes, url, loaded, note }: DecidingProps) {
  const client = useQueryClient();
  const store = usePhotoStore();
  const photos = usePhotos();
  const sent = useSentJobs();
  const { job } = way;
  const run = runOf(job);
  const jobStyle = appearanceOf(job.options as Appearance);
  const [start] = useState(
    () => drafts.get(run) ?? begin({ regions: regionsOf(boxes), style: jobStyle }, job.options.kinds?.[0]),
  );
  const keepDraft = useCallback((editing: Editing) => void drafts.set(run, editing), [run]);

  async function carryOut({ regions, style }: Edited) {
    const styleChanges = differences(style, jobStyle);
    if (way.way === "review") {
      // A review takes no options. So a new style for the photo becomes the own style of each region.
      const isNew = Object.keys(styleChanges).length > 0;
      const styled = isNew ? regions.map((region) => ({ ...region, appearance: region.appearance ?? style })) : regions;
      await reviewJob(job.job_id, changesOf(styled, style));
    } else if (way.way === "redo") {
      await redoJob(job.job_id, { ...styleChanges, ...changesOf(regions, style) });
    } else if (photo) {
      // The person has just decided, so the new job needs no review.
      await store.decide(photo.id, decisionByPlace(regions), { ...style, review: "never" });
    }
  }

  async function finish(edited: Edited) {
    const here = location.hash;
    try {
      await carryOut(edited);
    } finally {
      await client.invalidateQueries({ queryKey: jobQuery(job.job_id).queryKey });
    }
    drafts.delete(run);
    // The person may have closed the editor meanwhile, or gone on to another photo.
    if (location.hash !== here) return;
    const next = sent.find((each) => each.job?.status === "AWAITING_REVIEW" && each.job.job_id !== job.job_id);
    if (next && way.way === "review") showInEditor(next.photo.id);
    else closeEditor();
  }

  const applyToAll = (style: Appearance) => {
    const others = photos.filter(({ id, stage }) => id !== photo?.id && stage !== "refused" && stage !== "cancelled");
    const jobOf = (other: Photo) => sent.find((each) => each.photo.id === other.id)?.job;
    return changeStyles(
      others.map((other) => ({ photo: other, job: jobOf(other) })),
      style,
      store,
      client,
    );
  };

  return (
    <Editor
      name={photo?.name ?? texts.editor.unnamed}
      url={url}
      photo={loaded}
      start={start}
      canFinishAtOnce={way.way === "review"}
      note={note}
      onEdit={keepDraft}
      onFinish={finish}
      onApplyToAll={applyToAll}
    />
  );
}

/** The fields of a style that differ from another one. */
function differences(style: Appearance, other: Appearance): Partial<Appearance> {
  const names = Object.keys(style) as (keyof Appearance)[];
  return Object.fromEntries(names.filter((name) => style[name] !== other[name]).map((name) => [name, style[name]]));
}
