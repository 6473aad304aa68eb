import { useState } from "react";
import { failureOf } from "../../api/failure";
import { Notice } from "../../components/notice";
import { countKinds, totalOf } from "../../jobs/job";
import { texts } from "../../texts";
import type { Editing } from "./editing";

type FinishProps = { editing: Editing; canFinishAtOnce: boolean; onFinish: () => Promise<void> };

/** The numbers of hidden and visible regions, and the button that carries out the decision. */
export function Finish({ editing, canFinishAtOnce, onFinish }: FinishProps) {
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const hidden = countKinds(editing.regions.filter((region) => region.hidden));
  const visible = countKinds(editing.regions.filter((region) => !region.hidden));
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
      <p role="status">{texts.editor.count(hidden, visible)}</p>
      <button
        type="button"
        className="button is-primary"
        disabled={!canFinish || sending}
        onClick={() => void finish()}
      >
        {sending ? texts.editor.sending : totalOf(hidden) > 0 ? texts.editor.finish : texts.editor.finishNone}
      </button>
    </div>
  );
}
