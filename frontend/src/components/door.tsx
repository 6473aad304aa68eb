import { useEffect, useState, type ReactNode } from "react";
import { onSignedOut, signIn } from "../lib/sign-in";
import { texts } from "../texts";
import { Notice } from "./notice";

/**
 * The page for those who may use it; for others the way to sign in. It stands open until `entry` is known, so that where
 * nobody has to sign in nobody waits; what is under way waits in the browser.
 */
export function Door({ entry, children }: { entry: Promise<boolean>; children: ReactNode }) {
  const [open, setOpen] = useState(true);
  const [unanswered, setUnanswered] = useState(false);
  useEffect(() => {
    void entry.then(setOpen);
    return onSignedOut(() => setOpen(false));
  }, [entry]);
  if (open) return children;
  return (
    <main className="door">
      <h1>{texts.title}</h1>
      <p>{texts.signIn.explain}</p>
      <button
        type="button"
        className="button is-primary"
        onClick={() => void signIn().catch(() => setUnanswered(true))}
      >
        {texts.signIn.button}
      </button>
      <div role="alert">{unanswered && <Notice kind="danger">{texts.signIn.unanswered}</Notice>}</div>
    </main>
  );
}
