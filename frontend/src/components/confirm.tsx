import { texts } from "../texts";
import { Dialog } from "./dialog";

type Props = { message: string; onYes: () => void; onNo: () => void };

/** Asks for confirmation before something is erased. */
export function Confirm({ message, onYes, onNo }: Props) {
  return (
    <Dialog title={texts.confirm.title} onClose={onNo}>
      <p>{message}</p>
      <div className="buttons is-right">
        <button type="button" className="button" onClick={onNo}>
          {texts.confirm.no}
        </button>
        <button type="button" className="button is-danger" onClick={onYes}>
          {texts.confirm.yes}
        </button>
      </div>
    </Dialog>
  );
}
