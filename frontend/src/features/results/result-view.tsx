import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Maximize2, Receipt as ReceiptIcon, ScanFace } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { ErrorBoundary } from "../../components/error-boundary";
import { Notice } from "../../components/notice";
import { bytes, pixels } from "../../lib/format";
import { save } from "../../lib/save";
import { useObjectUrl } from "../../lib/use-object-url";
import { texts } from "../../texts";
import type { CompletedJob } from "../jobs/job";
import type { Choices } from "../options/options";
import { stem } from "../photos/photo";
import { remedyFor } from "../photos/remedies";
import { receiptQuery } from "./api/get-receipt";
import { resultQuery } from "./api/get-result";
import { Boxes, BoxList } from "./boxes";
import { Comparison } from "./comparison";
import { fileName, formatName } from "./file-name";

const ZoomDialog = lazy(() => import("./zoom-dialog"));

type Props = {
  job: CompletedJob;
  name: string;
  before: string | undefined;
  onRetry: (choices: Partial<Choices>) => void;
};

/** The result of a job: compare, look closely, download. */
export function ResultView({ job, name, before, onRetry }: Props) {
  const client = useQueryClient();
  const [boxes, setBoxes] = useState(false);
  const [zoomed, setZoomed] = useState(false);
  const [unshown, setUnshown] = useState(false);
  const [receiptFailed, setReceiptFailed] = useState(false);
  const result = useQuery(resultQuery(job.job_id));
  const receipt = useQuery({ ...receiptQuery(job.job_id), enabled: boxes });
  const after = useObjectUrl(result.data);
  const { width, height, content_type, stripped } = job.result;
  const overlay = boxes && receipt.data && <Boxes boxes={receipt.data.boxes} />;

  async function saveReceipt() {
    setReceiptFailed(false);
    try {
      const content = await client.fetchQuery(receiptQuery(job.job_id));
      const file = new Blob([JSON.stringify(content, null, 2)], { type: "application/json" });
      save(file, texts.result.receiptName(stem(name)));
    } catch {
      setReceiptFailed(true);
    }
  }

  return (
    <>
      <div className="frame" style={{ "--ratio": width / height }}>
        {after && before && !unshown && (
          <Comparison before={before} after={after} name={name} onUnshown={() => setUnshown(true)} />
        )}
        {after && !before && !unshown && (
          <img src={after} alt={texts.result.afterAlt(name)} onError={() => setUnshown(true)} />
        )}
        {!after && !result.isError && <p className="frame-message is-loading">{texts.result.loading}</p>}
        {unshown && <p className="frame-message">{texts.result.notShown}</p>}
        {overlay}
      </div>
      <div className="details">
        <div>
          <p className="headline">{job.faces === 0 ? texts.result.none : texts.result.hidden(job.faces)}</p>
          <p className="note">{texts.result.checked(job.check_rounds, job.missed_at_first)}</p>
        </div>
        {job.warnings.map((code) => (
          <Warning key={code} code={code} onRetry={onRetry} />
        ))}
        {result.isError && (
          <Notice kind="danger">
            <p>{texts.result.unavailable}</p>
            <button type="button" className="button is-small" onClick={() => void result.refetch()}>
              {texts.result.reload}
            </button>
          </Notice>
        )}
        {(receiptFailed || receipt.isError) && <Notice kind="danger">{texts.result.receiptFailed}</Notice>}
        {boxes && receipt.data && <BoxList boxes={receipt.data.boxes} />}
        <div className="buttons actions">
          <button
            type="button"
            className="button is-primary"
            disabled={!result.data}
            onClick={() => result.data && save(result.data, fileName(name, content_type))}
          >
            <Download aria-hidden="true" />
            <span>{texts.result.download}</span>
          </button>
          <button type="button" className="button" disabled={!after || unshown} onClick={() => setZoomed(true)}>
            <Maximize2 aria-hidden="true" />
            <span>{texts.result.enlarge}</span>
          </button>
          <button type="button" className="button" aria-pressed={boxes} onClick={() => setBoxes(!boxes)}>
            <ScanFace aria-hidden="true" />
            <span>{texts.result.boxes}</span>
          </button>
          <button type="button" className="button" onClick={() => void saveReceipt()}>
            <ReceiptIcon aria-hidden="true" />
            <span>{texts.result.receipt}</span>
          </button>
        </div>
        <p className="note">
          {texts.result.file(formatName(content_type), bytes(job.result.bytes), pixels(width, height))}
          {stripped.length > 0 && <> {texts.result.stripped(stripped)}</>}
        </p>
        {!before && <p className="note">{texts.result.noBefore}</p>}
      </div>
      {zoomed && after && (
        <ErrorBoundary fallback={<Notice kind="danger">{texts.failures.outdated}</Notice>}>
          <Suspense>
            <ZoomDialog
              name={name}
              before={before}
              after={after}
              ratio={width / height}
              onClose={() => setZoomed(false)}
            >
              {overlay}
            </ZoomDialog>
          </Suspense>
        </ErrorBoundary>
      )}
    </>
  );
}

/** A reason to look closely, and what can be done about it. */
function Warning({ code, onRetry }: { code: string; onRetry: Props["onRetry"] }) {
  const remedy = code === "NoFacesFound" ? remedyFor(code) : null;
  return (
    <Notice kind="warning">
      <p>{texts.warnings[code] ?? texts.unknownWarning(code)}</p>
      {remedy && (
        <button type="button" className="button is-small" onClick={() => onRetry(remedy.choices)}>
          {remedy.label}
        </button>
      )}
    </Notice>
  );
}
