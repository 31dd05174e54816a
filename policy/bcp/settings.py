"""Settings of BCP mode: plans, officials, the signed bundle. Counterpart: `policy.bcp.service`."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from pydantic import Field, model_validator

from common.clock import TOKYO
from common.settings import Section
from policy.bcp.model import WHOLE_TENANT, Official, Scope, ScopeKind


class ScopeSettings(Section):
    """For what an official may sign."""

    kind: ScopeKind = Field(description="tenant, site, department or duty.")
    ids: list[str] = Field(default=[], description="Names of sites, departments or duties; empty for the whole tenant.")

    @model_validator(mode="after")
    def _named(self) -> "ScopeSettings":
        if (self.kind is ScopeKind.TENANT) is bool(self.ids):
            raise ValueError("a scope names its sites, departments or duties; the whole tenant names nothing")
        return self


class OfficialSettings(Section):
    """One of the 発動権者."""

    username: str = Field(min_length=1, description="Login name in the directory.")
    rank: int = Field(ge=1, le=99, description="Place in the order of substitution (代行順位); 1 stands first.")
    title_ja: str = Field(min_length=1, description="Office held, in Japanese, for example 危機管理監.")
    title_en: str = Field(min_length=1, description="Office held, in English.")
    scopes: list[ScopeSettings] = Field(
        default=[], description="What the official may declare for; empty means the whole municipality."
    )
    until: date | None = Field(default=None, description="Last day in office; without it there is no end.")

    def official(self) -> Official:
        """As the steps of a declaration use it."""
        scopes = tuple(Scope(scope.kind, frozenset(scope.ids)) for scope in self.scopes)
        end = datetime.combine(self.until + timedelta(days=1), time(), TOKYO).astimezone(UTC) if self.until else None
        return Official(self.username, self.rank, self.title_ja, self.title_en, scopes or (WHOLE_TENANT,), end)


class BcpSettings(Section):
    """`[bcp]` in the configuration file."""

    plans_file: Path | None = Field(
        default=None,
        description=(
            "The BCP plans (YAML), see docs/reference/bcp-plans.md. Versions adopted in the console stand in for them."
        ),
    )
    bundle_file: Path = Field(
        default=Path("bcp-bundle.json"),
        description="Where the node keeps the signed active declarations (mode 0600), for when the database is away.",
    )
    officials: list[OfficialSettings] = Field(
        default=[], description="The officials who may declare (発動権者), with their rank and scopes."
    )
    poll_seconds: float = Field(
        default=15.0,
        ge=0.05,
        le=300,
        description="How often plans and declarations are looked at again even when nothing was announced, in seconds.",
    )

    @model_validator(mode="after")
    def _ranks(self) -> "BcpSettings":
        names = [official.username.casefold() for official in self.officials]
        if len(set(names)) != len(names):
            raise ValueError("an official is listed twice")
        return self
