import { Component, type ReactNode } from "react";
import { texts } from "../texts";

/** What is shown when the page itself fails. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="page">
        <h1>{texts.crash.title}</h1>
        <p>{texts.crash.text}</p>
        <button type="button" className="button is-primary" onClick={() => location.reload()}>
          {texts.crash.reload}
        </button>
      </main>
    );
  }
}
