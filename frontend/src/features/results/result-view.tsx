import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Maximize2, Receipt as ReceiptIcon, ScanFace } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { ErrorBoundary } from "../../components/error-boundary";
import { Notice } from "../../components/notice";
import { bytes, pixels } from "../../lib/format";
import { save } from "../../lib/save";
import { useObjectUrl } from "../../lib/use-object-url";
import { texts } from "../../texts";
import type { CompletedJob, WarningCode } from "../../jobs/job";
import type { Choices } from "../../jobs/choices";
import { remedyFor } from "../../jobs/remedies";
import { receiptQuery } from "./get-receipt";
import { resultQuery } from "./get-result";
import { Boxes, BoxList } from "./boxes";
import { Comparison } from "./comparison";
import { fileName, formatName, stem } from "./file-name";

const ZoomDialog = lazy(() => import("./zoom-dialog"));

type Props = {
  job: CompletedJob;
  name: string;
  before: string | undefined;
  onRetry: (choices: Partial<Choices>) => void;
};

/** The result of a job, to compare, enlarge and download. */
export function ResultView({ job, name, before, onRetry }: Props) {
  const client = useQueryClient();
  const [showBoxes, setShowBoxes] = useState(false);
  const [zoomed, setZoomed] = useState(false);
  const [unreadable, setUnreadable] = useState(false);
  const [receiptFailed, setReceiptFailed] = useState(false);
  const result = useQuery(resultQuery(job.job_id));
  const receipt = useQuery({ ...receiptQuery(job.job_id), enabled: showBoxes });
  const after = useObjectUrl(result.data);
  const { width, height, content_type, stripped } = job.result;
  const overlay = showBoxes && receipt.data && <Boxes boxes={receipt.data.boxes} />;

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
        {after && before && !unreadable && (
          <Comparison before={before} after={after} name={name} onUnreadable={() => setUnreadable(true)} />
        )}
        {after && !before && !unreadable && (
          <img src={after} alt={texts.result.afterAlt(name)} onError={() => setUnreadable(true)} />
        )}
        {!after && !result.isError && <p className="frame-message is-loading">{texts.result.loading}</p>}
        {unreadable && <p className="frame-message">{texts.result.unreadable}</p>}
        {overlay}
      </div>
      <div className="details">
        <div>
          <p className="headline">{job.faces === 0 ? texts.result.none : texts.result.hidden(job.faces)}</p>
          <p className="note">{texts.result.checks(job.check_rounds, job.missed_at_first)}</p>
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
        {showBoxes && receipt.data && <BoxList boxes={receipt.data.boxes} />}
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
          <button type="button" className="button" disabled={!after || unreadable} onClick={() => setZoomed(true)}>
            <Maximize2 aria-hidden="true" />
            <span>{texts.result.enlarge}</span>
          </button>
          <button type="button" className="button" aria-pressed={showBoxes} onClick={() => setShowBoxes(!showBoxes)}>
            <ScanFace aria-hidden="true" />
            <span>{texts.result.showBoxes}</span>
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

/** A warning about the result, and a button if trying again may help. */
function Warning({ code, onRetry }: { code: WarningCode; onRetry: Props["onRetry"] }) {
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
