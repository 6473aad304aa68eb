import { useQueryClient } from "@tanstack/react-query";
import { Download, Share2, Trash2 } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { failureOf } from "../api/failure";
import { Confirm } from "../components/confirm";
import { Notice } from "../components/notice";
import type { Photo } from "../features/upload/photo";
import { usePhotos, usePhotoStore } from "../features/upload/use-photos";
import { announce } from "../lib/announcer";
import { canShare, share } from "../lib/share";
import { texts } from "../texts";
import { FilterChoice, SuffixChoice, ViewChoice, type Filter } from "./list-tools";
import { useListSettings } from "./list-settings";
import { resultFiles, saveFiles, withResult } from "./outputs";
import { PhotoCard } from "./photo-card";
import { PhotoTile } from "./photo-tile";
import { countStates, useJobs, type PhotoWithJob } from "./photo-state";
import { StageAnnouncer } from "./stage-announcer";

const SAMPLE = new File([], "photo.jpg", { type: "image/jpeg" });

/** All photos, or those of one state, and the buttons for all photos that are shown. */
export function PhotoList() {
  const store = usePhotoStore();
  const photos = useJobs(usePhotos());
  const [settings, changeSettings] = useListSettings();
  const [wanted, setWanted] = useState<Filter>("all");
  const heading = useRef<HTMLHeadingElement>(null);
  const counts = countStates(photos);
  const states = counts.map(([state]) => state);
  const filter = wanted === "all" || states.includes(wanted) ? wanted : "all";
  const shown = photos.filter(({ state }) => filter === "all" || state === filter);
  const remove = useRemove(shown, () => heading.current?.focus());
  useEffect(() => {
    photos.filter(({ state }) => state !== "working").forEach(({ photo }) => store.jobEnded(photo.id));
  }, [photos, store]);

  const View = settings.view === "grid" ? PhotoTile : PhotoCard;
  return (
    <section aria-labelledby="photos" className="photos">
      <header className="photos-head">
        <div>
          <h2 id="photos" tabIndex={-1} ref={heading}>
            {photos.length > 0 ? texts.list.heading(photos.length) : texts.main}
          </h2>
          {photos.length > 1 && <p className="note">{texts.list.summary(counts)}</p>}
        </div>
        {photos.length > 0 && <ViewChoice value={settings.view} onChange={(view) => changeSettings({ view })} />}
      </header>
      {photos.length > 1 && <FilterChoice filter={filter} states={states} onChange={setWanted} />}
      {photos.length > 1 && (
        <ForAll photos={shown} filtered={filter !== "all"} suffix={settings.suffix} heading={heading} />
      )}
      {photos.length > 0 && <SuffixChoice value={settings.suffix} onChange={(suffix) => changeSettings({ suffix })} />}
      {photos.length === 0 && <p className="empty">{texts.list.empty}</p>}
      <div className={settings.view === "grid" ? "tiles" : "cards"}>
        {shown.map((one) => (
          <View key={one.photo.id} {...one} suffix={settings.suffix} onRemove={remove} />
        ))}
      </div>
      {photos.map((one) => (
        <StageAnnouncer key={one.photo.id} {...one} />
      ))}
    </section>
  );
}

/** Erases a photo, and moves the focus to the next photo that is shown. Without one, calls `focusElsewhere`. */
function useRemove(shown: readonly PhotoWithJob[], focusElsewhere: () => void): (photo: Photo) => Promise<void> {
  const store = usePhotoStore();
  const latest = useRef({ shown, focusElsewhere });
  useEffect(() => {
    latest.current = { shown, focusElsewhere };
  });
  return useCallback(
    async ({ id, name }) => {
      const { shown, focusElsewhere } = latest.current;
      const index = shown.findIndex(({ photo }) => photo.id === id);
      const next = shown[index + 1] ?? shown[index - 1];
      await store.remove(id);
      announce(texts.announce.deleted(name));
      if (next) document.getElementById(`photo-${next.photo.id}`)?.focus();
      else focusElsewhere();
    },
    [store],
  );
}

type ForAllProps = {
  photos: readonly PhotoWithJob[];
  filtered: boolean;
  suffix: string;
  heading: React.RefObject<HTMLHeadingElement | null>;
};

/** The buttons for all photos that are shown, and what a download leaves out. */
function ForAll({ photos, filtered, suffix, heading }: ForAllProps) {
  const store = usePhotoStore();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const [problem, setProblem] = useState<string>();
  const completed = withResult(photos);
  const counts = countStates(photos);
  const leftOut = counts.filter(([state]) => state !== "done" && state !== "look");
  const doubtful = photos.filter(({ state }) => state === "look").length;
  const shareable = useMemo(() => canShare([SAMPLE]), []);

  async function output(take: (files: File[]) => Promise<void>) {
    setBusy(true);
    setProblem(undefined);
    try {
      const { files, missing } = await resultFiles(client, completed, suffix);
      if (missing.length > 0) setProblem(texts.list.missing(missing));
      await take(files);
    } catch (error) {
      setProblem(failureOf(error).message);
    } finally {
      setBusy(false);
    }
  }

  const shareAll = (files: File[]) => share(files).catch(() => setProblem(texts.failures.notShared));

  async function removeAll() {
    setConfirming(false);
    setProblem(undefined);
    const outcomes = await Promise.allSettled(photos.map(({ photo }) => store.remove(photo.id)));
    if (outcomes.some(({ status }) => status === "rejected")) setProblem(texts.failures.notDeleted);
    else announce(texts.announce.deletedAll(photos.length));
    heading.current?.focus();
  }

  return (
    <>
      <div className="buttons">
        {completed.length > 0 && (
          <button
            type="button"
            className="button"
            disabled={busy}
            aria-describedby="left-out"
            onClick={() => void output(saveFiles)}
          >
            <Download aria-hidden="true" />
            <span>{busy ? texts.list.zipping : texts.list.download(completed.length)}</span>
          </button>
        )}
        {completed.length > 0 && shareable && (
          <button type="button" className="button" disabled={busy} onClick={() => void output(shareAll)}>
            <Share2 aria-hidden="true" />
            <span>{texts.list.share(completed.length)}</span>
          </button>
        )}
        <button type="button" className="button" onClick={() => setConfirming(true)}>
          <Trash2 aria-hidden="true" />
          <span>{filtered ? texts.list.deleteShown(photos.length) : texts.list.deleteAll}</span>
        </button>
      </div>
      {/* It is there from the start, so that the photos do not move when the first one is done. */}
      <p className="note" id="left-out">
        {completed.length === 0 && texts.list.nothing}
        {completed.length > 0 && leftOut.length === 0 && texts.list.complete}
        {completed.length > 0 && leftOut.length > 0 && texts.list.leavesOut(leftOut)}
        {doubtful > 0 && ` ${texts.list.toLookAt(doubtful)}`}
      </p>
      {problem && <Notice kind="danger">{problem}</Notice>}
      {confirming && (
        <Confirm
          message={texts.confirm.all(photos.length)}
          onYes={() => void removeAll()}
          onNo={() => setConfirming(false)}
        />
      )}
    </>
  );
}
