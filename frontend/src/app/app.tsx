import { ShieldCheck } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { ErrorBoundary } from "../components/error-boundary";
import { Notice } from "../components/notice";
import { ThemeChoice } from "../components/theme-choice";
import { OptionsPanel } from "../features/options/options-panel";
import { readChoices, rememberChoices, type Choices } from "../jobs/choices";
import { DropZone } from "../features/upload/drop-zone";
import { PhotoList } from "./photo-list";
import { usePhotoStore } from "../features/upload/use-photos";
import { announce, Announcer } from "../lib/announcer";
import { useHash } from "../lib/use-hash";
import { texts } from "../texts";
import { editorPlace, makeBackCloseTheEditor } from "./editor-place";
import { useEraseReplaced, useFollowDecisions, useOpenForReview } from "./use-review";

const EditorPage = lazy(() => import("./editor-page"));

export function App() {
  const store = usePhotoStore();
  const [choices, setChoices] = useState(readChoices);

  const place = editorPlace(useHash());
  useEffect(makeBackCloseTheEditor, []);
  useOpenForReview();
  useEraseReplaced();
  useFollowDecisions();

  const [firstAdded, setFirstAdded] = useState<string>();
  useEffect(() => document.getElementById(`photo-${firstAdded}`)?.focus(), [firstAdded]);

  const change = useCallback((next: Choices) => {
    setChoices(next);
    rememberChoices(next);
  }, []);
  const add = useCallback(
    (files: File[]) => {
      const [first] = store.add(files, choices);
      announce(texts.drop.added(files.length));
      setFirstAdded(first);
    },
    [store, choices],
  );

  return (
    <>
      <a className="skip" href="#photos">
        {texts.skip}
      </a>
      <header className="page-head">
        <img src="/favicon.svg" alt="" width={40} height={40} />
        <div>
          <h1>{texts.title}</h1>
          <p className="note">{texts.tagline}</p>
        </div>
        <ThemeChoice />
      </header>
      <main className="page">
        <div className="side">
          <DropZone onFiles={add} />
          <OptionsPanel choices={choices} onChange={change} />
        </div>
        <div className="content-side">
          <PhotoList />
          <section aria-labelledby="promise" className="promise">
            <h2 id="promise">
              <ShieldCheck aria-hidden="true" /> {texts.promise.heading}
            </h2>
            <ul>
              {texts.promise.points.map((point) => (
                <li key={point}>{point}</li>
              ))}
            </ul>
            <p>
              <strong>{texts.promise.limits}</strong>
            </p>
          </section>
        </div>
      </main>
      <footer className="page-foot note">{texts.footer}</footer>
      <Announcer />
      {place && (
        <ErrorBoundary fallback={<Notice kind="danger">{texts.failures.outdated}</Notice>}>
          <Suspense>
            <EditorPage place={place} />
          </Suspense>
        </ErrorBoundary>
      )}
    </>
  );
}
