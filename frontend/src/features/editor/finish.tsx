import { useState } from "react";
import { failureOf } from "../../api/failure";
import { Notice } from "../../components/notice";
import { texts } from "../../texts";
import type { Editing } from "./editing";

type FinishProps = { editing: Editing; canFinishAtOnce: boolean; onFinish: () => Promise<void> };

/** How many faces are hidden, and the button that carries the decision out. */
export function Finish({ editing, canFinishAtOnce, onFinish }: FinishProps) {
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const hidden = editing.faces.filter((face) => face.hidden).length;
  const canFinish = canFinishAtOnce || editing.past.length > 0;

  async function finish() {
    setSending(true);
    setProblem(undefined);
    try {
      await onFinish();
    } catch (error) {
      setProblem(failureOf(error).message);
      setSending(false);
    }
  }

  return (
    <div className="editor-finish">
      {problem && <Notice kind="danger">{problem}</Notice>}
      <p role="status">{texts.editor.count(hidden, editing.faces.length - hidden)}</p>
      <button
        type="button"
        className="button is-primary"
        disabled={!canFinish || sending}
        onClick={() => void finish()}
      >
        {sending ? texts.editor.sending : hidden > 0 ? texts.editor.finish : texts.editor.finishNone}
      </button>
    </div>
  );
}
