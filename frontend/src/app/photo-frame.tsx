import { Trash2, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { failureOf } from "../api/failure";
import { Confirm } from "../components/confirm";
import { Notice } from "../components/notice";
import { jobsOf, isIdle, type Photo } from "../features/upload/photo";
import { usePhotoStore } from "../features/upload/use-photos";
import type { Choices } from "../jobs/choices";
import { announce } from "../lib/announcer";
import { texts } from "../texts";
import type { PhotoWithJob } from "./photo-state";

export type PhotoProps = PhotoWithJob & {
  /** The suffix of the download's name. */
  suffix: string;
  onRemove: (photo: Photo) => Promise<void>;
};

export type Retry = (choices?: Partial<Choices>) => void;

type Props = PhotoProps & { className: string; children: (retry: Retry) => ReactNode };

/** The frame of a photo in the list: its name, its state, and the button that cancels or erases it. */
export function PhotoFrame({ photo, state, className, onRemove, children }: Props) {
  const store = usePhotoStore();
  const [confirming, setConfirming] = useState(false);
  const [problem, setProblem] = useState<string>();

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

  const onServer = jobsOf(photo).length > 0 && state !== "deleted";
  const removeLabel = onServer ? texts.card.deleteNow : texts.card.remove;
  return (
    <article className={className} aria-labelledby={`name-${photo.id}`} id={`photo-${photo.id}`} tabIndex={-1}>
      <header className="photo-head">
        <h3 id={`name-${photo.id}`} title={photo.name}>
          {photo.name}
        </h3>
        <span className={`status is-${state}`}>{statusOf(photo, state)}</span>
        {isIdle(photo) ? (
          <button
            type="button"
            className="button is-small"
            aria-label={`${removeLabel} ${photo.name}`}
            onClick={() => (onServer ? setConfirming(true) : void remove())}
          >
            <Trash2 aria-hidden="true" />
            <span>{removeLabel}</span>
          </button>
        ) : (
          <button
            type="button"
            className="button is-small"
            aria-label={`${texts.card.cancel} ${photo.name}`}
            onClick={() => store.cancel(photo.id)}
          >
            <X aria-hidden="true" />
            <span>{texts.card.cancel}</span>
          </button>
        )}
      </header>
      {problem && <Notice kind="danger">{problem}</Notice>}
      {children((choices) => void retry(choices))}
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

/** The word for the state. For a photo that is not sent yet, the word for its stage. */
export function statusOf(photo: Photo, state: PhotoWithJob["state"]): string {
  return state === "working" && photo.stage !== "sent" ? texts.card.stages[photo.stage] : texts.card.states[state];
}
