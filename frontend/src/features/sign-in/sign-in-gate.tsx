import { useEffect, useState, type ReactNode } from "react";
import { onSignedOut, signIn } from "../../api/sign-in";
import { texts } from "../../texts";
import { Notice } from "../../components/notice";

/**
 * Shows the page to people who are signed in. Others get a button to sign in. Until `allowed` is known, it shows the page,
 * so that nobody waits if no sign-in is needed.
 */
export function SignInGate({ allowed, children }: { allowed: Promise<boolean>; children: ReactNode }) {
  const [open, setOpen] = useState(true);
  const [unanswered, setUnanswered] = useState(false);
  useEffect(() => {
    void allowed.then(setOpen);
    return onSignedOut(() => setOpen(false));
  }, [allowed]);
  if (open) return children;
  return (
    <main className="sign-in">
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
