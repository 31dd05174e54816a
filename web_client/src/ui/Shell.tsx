/** Frame of every page but the viewer: skip link, header with the person and the menu, main part. */
import { useEffect, useState, type ReactNode } from "react";
import { Link } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useIdentity } from "../app/identity";
import { maySeeConsole } from "../app/roles";
import { navigate, useRoute, useVisit, type Route } from "../app/router";
import { pick } from "../i18n";
import { Button, Notice } from "./controls";
import { Icon, type IconName } from "./Icon";
import { LanguageButton } from "./LanguageButton";
import { Logo } from "./Logo";
import { ErrorNotice } from "./PageStates";

interface ShellProps {
  readonly children: ReactNode;
  /** The log-in is known to be over: no person, no menu and nothing to log out of. */
  readonly signedOut?: boolean;
}

export function Shell({ children, signedOut = false }: ShellProps) {
  const { t } = useTranslation();
  const { state, logout } = useIdentity();
  const me = state.kind === "known" && !signedOut ? state.me : null;
  const [failure, setFailure] = useState<unknown>(null);
  const visit = useVisit();
  useEffect(() => setFailure(null), [visit]);
  const leave = () => {
    setFailure(null);
    logout().catch((error: unknown) => setFailure(error));
  };
  return (
    <div className="shell">
      <SkipLink />
      <header className="site-header">
        <div className="site-header-inner">
          <div className="brand">
            <Logo />
            <div>
              <p className="brand-name">{t("common.product")}</p>
              <p className="brand-tenant">{me === null ? t("common.tagline") : pick(me.tenant.name_ja, me.tenant.name_en)}</p>
            </div>
          </div>
          {me === null ? null : (
            <nav className="site-nav" aria-label={t("common.mainNav")}>
              <NavLink to={{ page: "desktops" }} icon="desktop" label={t("common.desktops")} />
              <NavLink to={{ page: "account" }} icon="user" label={t("common.account")} />
              {maySeeConsole(me.roles) ? (
                <NavLink to={{ page: "bcp", view: { kind: "board" } }} icon="shield" label={t("common.bcp")} />
              ) : null}
              {me.roles.includes("voucher") ? <NavLink to={{ page: "vouch" }} icon="help" label={t("common.vouch")} /> : null}
            </nav>
          )}
          <div className="site-person">
            {me === null ? null : (
              <p className="person" aria-label={t("common.loggedInAs", { name: me.user.display_name })} role="group">
                <span className="person-name">{me.user.display_name}</span>
                <span className="person-department">{me.user.department ?? me.user.username}</span>
              </p>
            )}
            <LanguageButton />
            {me === null ? null : (
              <Button kind="secondary" icon="logout" onPress={leave} data-testid="logout">
                {t("common.logout")}
              </Button>
            )}
          </div>
        </div>
      </header>
      <main id="main" className="main" tabIndex={-1}>
        {me?.banners.map((banner) => (
          <Notice key={banner.text_en} kind="warning" live={false} testId="login-banner">
            <p>{pick(banner.text_ja, banner.text_en)}</p>
          </Notice>
        ))}
        {failure === null ? null : <ErrorNotice error={failure} title={t("error.logoutTitle")} />}
        {children}
      </main>
    </div>
  );
}

export function SkipLink() {
  const { t } = useTranslation();
  return (
    <a
      className="skip-link"
      href="#main"
      onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")?.focus();
      }}
    >
      {t("common.skip")}
    </a>
  );
}

function NavLink({ to, icon, label }: { readonly to: Route; readonly icon: IconName; readonly label: string }) {
  const route = useRoute();
  const here = route.page === to.page;
  return (
    <Link
      className="nav-link"
      {...(here ? { "aria-current": "page" as const } : {})}
      onPress={() => navigate(to)}
      data-testid={`nav-${to.page}`}
    >
      <Icon name={icon} />
      <span>{label}</span>
    </Link>
  );
}
