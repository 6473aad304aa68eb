import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { announce } from "../lib/announcer";
import { texts } from "../texts";
import { usePhotos, usePhotoStore } from "../features/upload/use-photos";
import { jobQuery } from "../jobs/get-job";
import { onOtherTabsDecide } from "../jobs/other-tabs";
import { openEditor } from "./editor-place";
import { useSentJobs } from "./use-sent-jobs";

/** Opens the editor by itself when the only photo that was added in this tab waits for its review. */
export function useOpenForReview(): void {
  const opened = useRef(new Set<string>());
  const store = usePhotoStore();
  const fresh = usePhotos().filter(({ id }) => store.wasAddedHere(id));
  const sent = useSentJobs();
  const only = fresh.length === 1 ? fresh[0] : undefined;
  const job = sent.find(({ photo }) => photo.id === only?.id)?.job;
  const waiting = job?.status === "AWAITING_REVIEW" ? job.job_id : undefined;
  const [id, name] = [only?.id, only?.name];
  useEffect(() => {
    if (!id || !name || !waiting || opened.current.has(waiting)) return;
    opened.current.add(waiting);
    // A person must not lose another dialog that is open.
    if (document.querySelector("dialog[open]")) return;
    announce(texts.editor.opened(name));
    openEditor(id);
  }, [id, name, waiting]);
}

/** Erases completed jobs that were kept until a newer job of the same photo is completed. */
export function useEraseReplaced(): void {
  const store = usePhotoStore();
  const replaced = useSentJobs()
    .filter(({ photo, job }) => photo.replaces !== undefined && job?.status === "COMPLETED")
    .map(({ photo }) => photo.id)
    .join(" ");
  useEffect(() => {
    // A job that cannot be erased now stays listed, and is erased with the photo, or by the server after a day.
    for (const id of replaced.split(" ").filter(Boolean)) void store.eraseReplaced(id).catch(() => undefined);
  }, [store, replaced]);
}

/** Asks for a job again when another tab has decided about it, even if it is finished here. */
export function useFollowDecisions(): void {
  const client = useQueryClient();
  useEffect(
    () => onOtherTabsDecide((jobId) => void client.invalidateQueries({ queryKey: jobQuery(jobId).queryKey })),
    [client],
  );
}
