/** Last net: a programming error shows a plain page with a way out instead of a white screen. */
import { Component, type ReactNode } from "react";
import i18next from "i18next";
import { Logo } from "./Logo";

interface State {
  readonly failed: boolean;
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { failed: false };

  static getDerivedStateFromError(): State {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) {
      return this.props.children;
    }
    return (
      <main className="main narrow" role="alert">
        <Logo />
        <h1 className="page-heading">{i18next.t("error.crashTitle")}</h1>
        <p>{i18next.t("error.crashBody")}</p>
        <button type="button" className="button button-primary" onClick={() => window.location.assign("/")}>
          {i18next.t("error.crashReload")}
        </button>
      </main>
    );
  }
}
