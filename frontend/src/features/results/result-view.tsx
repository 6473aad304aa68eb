import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Download, Maximize2, Receipt as ReceiptIcon, ScanFace, Share2 } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { ErrorBoundary } from "../../components/error-boundary";
import { Notice } from "../../components/notice";
import { bytes, pixels } from "../../lib/format";
import { save } from "../../lib/save";
import { canShare, share } from "../../lib/share";
import { useObjectUrl } from "../../lib/use-object-url";
import { texts } from "../../texts";
import type { CompletedJob, JobWithResult, WarningCode } from "../../jobs/job";
import type { Choices } from "../../jobs/choices";
import { remedyFor } from "../../jobs/remedies";
import { receiptQuery } from "./get-receipt";
import { resultQuery } from "./get-result";
import { Boxes, BoxList } from "./boxes";
import { Comparison } from "./comparison";
import { DEFAULT_SUFFIX, fileName, formatName, stem } from "./file-name";
import { outcomeOf } from "./outcome";

const ZoomDialog = lazy(() => import("./zoom-dialog"));

type Props = {
  job: JobWithResult;
  name: string;
  before: string | undefined;
  /** The suffix of the download's name. */
  suffix: string;
  /** The link for changing what is hidden. */
  decide: ReactNode;
  onRetry: (choices: Partial<Choices>) => void;
};

/** The result of a job, to compare, enlarge and download. While the job is being done again, it can only be viewed. */
export function ResultView({ job, name, before, suffix, decide, onRetry }: Props) {
  const [showBoxes, setShowBoxes] = useState(false);
  const [zoomed, setZoomed] = useState(false);
  const [unreadable, setUnreadable] = useState(false);
  const result = useQuery(resultQuery(job));
  const receipt = useQuery({ ...receiptQuery(job), enabled: showBoxes });
  const after = useObjectUrl(result.data);
  const ratio = job.result.width / job.result.height;
  const boxes = showBoxes ? receipt.data?.boxes : undefined;
  const overlay = boxes && <Boxes boxes={boxes} ratio={ratio} />;
  const label = (text: string) => `${text} ${name}`;

  return (
    <>
      <div className="frame" style={{ "--ratio": ratio }}>
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
        {job.status === "COMPLETED" ? (
          <Summary job={job} name={name} onRetry={onRetry} />
        ) : (
          <p className="note">{texts.card.redoing}</p>
        )}
        {result.isError && (
          <Notice kind="danger">
            <p>{texts.result.unavailable}</p>
            <button
              type="button"
              className="button is-small"
              aria-label={label(texts.result.reload)}
              onClick={() => void result.refetch()}
            >
              {texts.result.reload}
            </button>
          </Notice>
        )}
        {receipt.isError && <Notice kind="danger">{texts.result.receiptFailed}</Notice>}
        {boxes && <BoxList name={name} boxes={boxes} />}
        <div className="buttons actions">
          {job.status === "COMPLETED" && result.data && (
            <Outputs job={job} name={name} suffix={suffix} photo={result.data} />
          )}
          {decide}
          <button
            type="button"
            className="button"
            aria-label={label(texts.result.enlarge)}
            disabled={!after || unreadable}
            onClick={() => setZoomed(true)}
          >
            <Maximize2 aria-hidden="true" />
            <span>{texts.result.enlarge}</span>
          </button>
          <button
            type="button"
            className="button"
            aria-label={label(texts.result.showBoxes)}
            aria-pressed={showBoxes}
            onClick={() => setShowBoxes(!showBoxes)}
          >
            <ScanFace aria-hidden="true" />
            <span>{texts.result.showBoxes}</span>
          </button>
          <ReceiptButton job={job} name={name} />
        </div>
        <FileNote job={job} />
        {!before && <p className="note">{texts.result.noBefore}</p>}
      </div>
      {zoomed && after && (
        <ErrorBoundary fallback={<Notice kind="danger">{texts.failures.outdated}</Notice>}>
          <Suspense>
            <ZoomDialog name={name} before={before} after={after} ratio={ratio} onClose={() => setZoomed(false)}>
              {overlay}
            </ZoomDialog>
          </Suspense>
        </ErrorBoundary>
      )}
    </>
  );
}

/** What was hidden, how it was checked, and the warnings. */
function Summary({ job, name, onRetry }: { job: CompletedJob; name: string; onRetry: Props["onRetry"] }) {
  return (
    <>
      <div>
        <p className="headline">{outcomeOf(job)}</p>
        <p className="note">{texts.result.checks(job.check_rounds, job.missed_at_first)}</p>
      </div>
      {job.redo_error && <Notice kind="danger">{texts.card.redoFailed(job.redo_error.message)}</Notice>}
      {job.warnings.map((code) => (
        <Warning key={code} name={name} code={code} onRetry={onRetry} />
      ))}
    </>
  );
}

type OutputsProps = { job: CompletedJob; name: string; suffix: string; photo: Blob };

/** The buttons that save or share the result. */
function Outputs({ job, name, suffix, photo }: OutputsProps) {
  const [failed, setFailed] = useState(false);
  // The result must not have the name of the original, because both may be in one folder.
  const saved = fileName(name, job, suffix || DEFAULT_SUFFIX);
  const file = new File([photo], saved, { type: job.result.content_type });
  return (
    <>
      <button
        type="button"
        className="button is-primary"
        aria-label={`${texts.result.download} ${name}`}
        onClick={() => save(photo, saved)}
      >
        <Download aria-hidden="true" />
        <span>{texts.result.download}</span>
      </button>
      {canShare([file]) && (
        <button
          type="button"
          className="button"
          aria-label={`${texts.result.share} ${name}`}
          onClick={() =>
            void share([file]).then(
              () => setFailed(false),
              () => setFailed(true),
            )
          }
        >
          <Share2 aria-hidden="true" />
          <span>{texts.result.share}</span>
        </button>
      )}
      {failed && <Notice kind="danger">{texts.failures.notShared}</Notice>}
    </>
  );
}

function ReceiptButton({ job, name }: { job: JobWithResult; name: string }) {
  const client = useQueryClient();
  const [failed, setFailed] = useState(false);

  async function saveReceipt() {
    setFailed(false);
    try {
      const content = await client.fetchQuery(receiptQuery(job));
      const file = new Blob([JSON.stringify(content, null, 2)], { type: "application/json" });
      save(file, texts.result.receiptName(stem(name)));
    } catch {
      setFailed(true);
    }
  }

  return (
    <>
      <button
        type="button"
        className="button"
        aria-label={`${texts.result.receipt} ${name}`}
        onClick={() => void saveReceipt()}
      >
        <ReceiptIcon aria-hidden="true" />
        <span>{texts.result.receipt}</span>
      </button>
      {failed && <Notice kind="danger">{texts.result.receiptFailed}</Notice>}
    </>
  );
}

function FileNote({ job }: { job: JobWithResult }) {
  const { content_type, width, height, stripped, kept_metadata } = job.result;
  return (
    <p className="note">
      {texts.result.file(formatName(content_type), bytes(job.result.bytes), pixels(width, height))}
      {stripped.length > 0 && <> {texts.result.stripped(stripped)}</>}
      {kept_metadata.length > 0 && <> {texts.result.keptMetadata(kept_metadata)}</>}
    </p>
  );
}

/** A warning about the result, and a button if trying again may help. */
function Warning({ name, code, onRetry }: { name: string; code: WarningCode; onRetry: Props["onRetry"] }) {
  const remedy = code === "NothingFound" ? remedyFor(code) : null;
  return (
    <Notice kind="warning">
      <p>{texts.warnings[code] ?? texts.unknownWarning(code)}</p>
      {remedy && (
        <button
          type="button"
          className="button is-small"
          aria-label={`${remedy.label}: ${name}`}
          onClick={() => onRetry(remedy.choices)}
        >
          {remedy.label}
        </button>
      )}
    </Notice>
  );
}
