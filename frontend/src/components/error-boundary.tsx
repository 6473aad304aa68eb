import { Component, type ReactNode } from "react";
import { texts } from "../texts";

type Props = { children: ReactNode; fallback?: ReactNode };

/** Shows `fallback` when a part of the page fails. Without `fallback`, shows an error page. */
export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    if (this.props.fallback) return this.props.fallback;
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
