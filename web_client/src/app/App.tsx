/** Chooses the page for the route and the log-in state. Viewer and BCP console are loaded only when they are needed. */
import { Suspense, lazy, useEffect } from "react";
import { AccountPage } from "../account/AccountPage";
import { DesktopsPage } from "../desktops/DesktopsPage";
import { LoginPage } from "../login/LoginPage";
import { ErrorBoundary } from "../ui/ErrorBoundary";
import { Loading, NotFound, Unreachable } from "../ui/PageStates";
import { Shell } from "../ui/Shell";
import { maySeeConsole } from "./roles";
import { IdentityProvider, useIdentity } from "./identity";
import { navigate, useRoute, useVisit } from "./router";

const ViewerPage = lazy(() => import("../viewer/ViewerPage"));
const BcpPage = lazy(() => import("../bcp/BcpPage"));
const VouchPage = lazy(() => import("../vouch/VouchPage"));

export function App() {
  return (
    <ErrorBoundary>
      <IdentityProvider>
        <Pages />
      </IdentityProvider>
    </ErrorBoundary>
  );
}

function Pages() {
  const route = useRoute();
  const visit = useVisit();
  const { state, refresh } = useIdentity();
  const loggedIn = state.kind === "known";

  useEffect(() => {
    if (loggedIn && (route.page === "home" || route.page === "login")) {
      navigate({ page: "desktops" }, "replace");
    }
  }, [loggedIn, route.page]);

  if (state.kind === "loading") {
    return (
      <Shell>
        <Loading />
      </Shell>
    );
  }
  if (state.kind === "unreachable") {
    return (
      <Shell>
        <Unreachable error={state.error} onRetry={refresh} />
      </Shell>
    );
  }
  if (state.kind === "anonymous") {
    return <LoginPage notice={state.notice} />;
  }
  switch (route.page) {
    case "view":
      return (
        <Suspense
          fallback={
            <Shell>
              <Loading />
            </Shell>
          }
        >
          <ViewerPage key={`${route.sessionId}:${visit}`} sessionId={route.sessionId} />
        </Suspense>
      );
    case "account":
      return (
        <Shell>
          <AccountPage />
        </Shell>
      );
    case "bcp":
      return (
        <Shell>
          {maySeeConsole(state.me.roles) ? (
            <Suspense fallback={<Loading />}>
              <BcpPage view={route.view} />
            </Suspense>
          ) : (
            <NotFound />
          )}
        </Shell>
      );
    case "vouch":
      return (
        <Shell>
          {state.me.roles.includes("voucher") ? (
            <Suspense fallback={<Loading />}>
              <VouchPage />
            </Suspense>
          ) : (
            <NotFound />
          )}
        </Shell>
      );
    case "not-found":
      return (
        <Shell>
          <NotFound />
        </Shell>
      );
    case "home":
    case "login":
    case "desktops":
      return (
        <Shell>
          <DesktopsPage />
        </Shell>
      );
  }
}
