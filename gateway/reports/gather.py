"""Makes a report of a declaration, its plan and the audit events of its time. Pure.

Counterpart: `gateway.reports.service` reads the events and the rest. The numbers are counts of events, so whoever has
the audit log can count again; the chains at the end say which events these were.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from broker.duties.book import DutyBook
from common.audit import ChainedEvent
from gateway.notices.due import scope_words
from gateway.notices.model import Ability, Reach
from gateway.reports.labels import BROKEN, EVENTS, STEPS, pretended
from gateway.reports.model import (
    Chain,
    Counted,
    Entry,
    FollowUp,
    Reached,
    Refused,
    Report,
    Step,
    Told,
    plain,
)
from gateway.reports.rights import rights
from gateway.reports.score import REFUSALS, Scorer
from gateway.reports.sessions import Sessions, normal_allowed
from policy.bcp.audit_names import BcpAudit
from policy.bcp.model import Declaration, DeclarationState, Level, Official, Role
from policy.bcp.plan import Plan
from policy.guardrails import REASONS

_GUARDED: Final = frozenset(REASONS.values())
BEGINNINGS: Final = frozenset({BcpAudit.APPROVE_DECLARATION, BcpAudit.DECLARE_ALONE})
_ENDINGS: Final = frozenset({BcpAudit.LIFT_DECLARATION, BcpAudit.EXPIRE_DECLARATION, BcpAudit.GIVE_WAY})
_ENDED: Final = frozenset(
    {DeclarationState.LIFTED, DeclarationState.EXPIRED, DeclarationState.LAPSED, DeclarationState.REJECTED}
)


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made of, besides the events. `names` gives people's names by user id and by user name; `pools`
    the names of pools."""

    tenant_ja: str
    tenant_en: str
    declaration: Declaration
    plan: Plan
    officials: tuple[Official, ...]
    book: DutyBook
    reach: Reach
    names: Mapping[str, str]
    scope_names: Mapping[str, tuple[str, str]]
    pools: Mapping[str, str]
    made_at: datetime
    made_by: str
    window_from: datetime
    window_to: datetime


def final(declaration: Declaration, plan: Plan, now: datetime) -> bool:
    """Whether the declaration and the grace after it are over."""
    return declaration.state in _ENDED and now >= (declaration.ended_at or declaration.seen_at) + plan.grace


def gather(material: Material, events: Iterable[ChainedEvent]) -> Report:
    """The report. `events` come in order of time; those of other times or tenants must not be among them."""
    return _Gatherer(material).run(events)


class _Gatherer:
    def __init__(self, material: Material) -> None:
        self._m: Final = material
        self._d: Final = material.declaration
        self._sessions: Final = Sessions(self._d.id)
        self._scorer: Final = Scorer(self._d)
        self._steps: Final[list[Step]] = []
        self._refused: Final[dict[tuple[str, str], list[str]]] = {}
        self._broken: Final[dict[str, list[str]]] = {}
        self._told: Final[dict[str, Told]] = {}
        self._chains: Final[dict[str, Chain]] = {}
        self._entries: Final[list[Entry]] = []
        self._denied_steps = 0
        self._doubts = 0
        self._policies: Final[set[str]] = set()
        self._level = material.declaration.level
        self._rules = ("", "")

    def run(self, events: Iterable[ChainedEvent]) -> Report:
        for chained in events:
            self._feed(chained)
        declaration, m = self._d, self._m
        scope_ja, scope_en = scope_words(declaration.scope, m.scope_names)
        return Report(
            tenant_id=declaration.tenant_id,
            tenant_ja=m.tenant_ja,
            tenant_en=m.tenant_en,
            declaration_id=declaration.id,
            drill=declaration.drill,
            break_glass=declaration.break_glass,
            level=self._level,
            state=declaration.state,
            cause=declaration.cause,
            reason=declaration.reason,
            scope_ja=scope_ja,
            scope_en=scope_en,
            plan_id=declaration.plan_id,
            plan_version=declaration.plan_version,
            plan_ja=m.plan.name.ja,
            plan_en=m.plan.name.en,
            plan_digest=declaration.plan_digest,
            starts_at=declaration.starts_at,
            ends_at=declaration.ends_at,
            ended_at=declaration.ended_at,
            end_note=declaration.end_note,
            blocked=len(declaration.blocked),
            made_at=m.made_at,
            made_by=m.made_by,
            window_from=m.window_from,
            window_to=m.window_to,
            final=final(declaration, m.plan, m.window_to),
            steps=tuple(self._steps),
            rights=rights(m.plan, self._level, self._names(), drill=declaration.drill),
            forbidden_ja=m.plan.texts.forbidden.ja,
            overall=self._sessions.overall(),
            by_class=self._sessions.by_class(m.book),
            by_duty=self._sessions.by_duty(m.book),
            by_pool=self._sessions.by_pool(m.pools),
            peak=self._sessions.peak,
            peak_at=self._sessions.peak_at,
            waits=self._sessions.waits(m.book),
            endings=self._sessions.ended_by_reason(),
            refusals=tuple(
                Refused(code, pool, len(names), len(set(names)), code in _GUARDED)
                for (code, pool), names in sorted(self._refused.items())
            ),
            broken=tuple(
                Counted(name, len(self._broken[name]), len(set(self._broken[name])))
                for name in BROKEN
                if name in self._broken
            ),
            notices=tuple(self._told.values()),
            reach=_reached(m.reach),
            score=self._scorer.score(self._sessions, m.book),
            follow_ups=self._follow_ups(),
            chains=tuple(self._chains[node] for node in sorted(self._chains)),
            entries=tuple(self._entries),
            pretended=pretended(declaration.injects),
            policy_before=self._rules[0],
            policy_after=self._rules[1],
        )

    def _feed(self, chained: ChainedEvent) -> None:
        self._count(chained)
        self._sessions.feed(chained)
        self._scorer.feed(chained)
        event = chained.event
        details = event.details
        if event.name in set(BcpAudit):
            if event.subject != self._d.id:
                return
            self._step(chained)
        elif details.get("declaration_id") not in (None, self._d.id):
            return
        match event.name:
            case name if name in REFUSALS:
                inject = details.get("inject")
                code = f"drill:{inject}" if inject else plain(details.get("code") or details.get("cause"))
                key = (code, plain(details.get("pool_id")))
                self._refused.setdefault(key, []).append(event.subject or event.actor or "")
            case name if name in BROKEN:
                self._broken.setdefault(name, []).append(event.actor or event.subject or "")
            case "announce-notice" if event.subject:
                count = details.get("people")
                people = count if isinstance(count, int) else 0
                self._told[event.subject] = Told(chained.at, plain(details.get("kind")), people, 0, 0)
            case "send-notices" if event.subject in self._told:
                self._sent(event.subject or "", details)
            case "load-policy":
                self._policies.add(plain(details.get("version")))
            case _:
                pass
        if event.name in EVENTS:
            self._entries.append(self._entry(chained))

    def _count(self, chained: ChainedEvent) -> None:
        known = self._chains.get(chained.node_id)
        if known is None:
            known = Chain(chained.node_id, chained.seq, chained.seq, 0, chained.hash)
        first, last = min(known.first_seq, chained.seq), max(known.last_seq, chained.seq)
        newest = chained.hash if chained.seq == last else known.last_hash
        self._chains[chained.node_id] = Chain(chained.node_id, first, last, known.events + 1, newest)

    def _step(self, chained: ChainedEvent) -> None:
        event = chained.event
        if event.name in (BcpAudit.DISTRUST_DECLARATION, BcpAudit.DISTRUST_BUNDLE):
            self._doubts += 1
        if event.name not in STEPS:
            return
        if event.outcome == "denied":
            self._denied_steps += 1
        elif version := plain(event.details.get("policy_version")):
            before, after = self._rules
            begun = before or (version if event.name in BEGINNINGS else "")
            self._rules = begun, version if event.name in _ENDINGS else after
        self._raise_level(plain(event.details.get("level")))
        listed = next((o for o in self._m.officials if o.username.casefold() == (event.actor or "").casefold()), None)
        signed = next((s for s in self._d.signatures if s.username == event.actor), None)
        note = event.details.get("code") if event.outcome != "ok" else event.details.get("note")
        if event.name == BcpAudit.REMIND_DECLARATION:
            note = f"残り{_figure(event.details.get('remaining_hours'))}時間"
        self._steps.append(
            Step(
                at=chained.at,
                name=event.name,
                person=self._name(event.actor),
                title=listed.title_ja if listed else "",
                department=plain(signed.department) if signed else "",
                acting=event.details.get("acting") is True and event.outcome == "ok" and event.actor is not None,
                outcome=event.outcome,
                note=plain(note),
            )
        )

    def _names(self) -> Mapping[str, str]:
        """Of duties and pools, for the table of rights."""
        return {duty.id: duty.name_ja for duty in self._m.book.register.duties.values()} | dict(self._m.pools)

    def _name(self, actor: str | None) -> str:
        if actor is None:
            return "（自動）"
        signed = next((s.person for s in self._d.signatures if actor in (s.username, s.user_id)), None)
        return signed or self._m.names.get(actor, actor)

    def _sent(self, notice_id: str, details: Mapping[str, object]) -> None:
        told = self._told[notice_id]
        sent, failed = details.get("sent"), details.get("not_sent")
        self._told[notice_id] = replace(
            told,
            sent=told.sent + (sent if isinstance(sent, int) else 0),
            not_sent=told.not_sent + (failed if isinstance(failed, int) else 0),
        )

    def _entry(self, chained: ChainedEvent) -> Entry:
        event, details = chained.event, chained.event.details
        subject = event.subject or ""
        person = self._name(event.actor) if event.actor else self._m.names.get(subject, "（自動）")
        reason = details.get("code") or details.get("cause") or details.get("reason") or details.get("why")
        ability = details.get("ability")
        return Entry(
            at=chained.at,
            name=event.name,
            person=person,
            subject=subject,
            pool_id=plain(details.get("pool_id")),
            outcome=event.outcome,
            reason=plain(ability or reason),
            normal_allowed=self._normal(chained),
            declarations=plain(details.get("declarations")),
            rules=plain(details.get("rules") or details.get("rule")),
            source=event.source or "",
            session_id=event.session_id or "",
            node_id=chained.node_id,
            seq=chained.seq,
        )

    def _normal(self, chained: ChainedEvent) -> bool | None:
        own = normal_allowed(chained.event.details)
        return self._sessions.normal_of(chained.event.session_id) if own is None else own

    def _raise_level(self, seen: str) -> None:
        """The strongest level that it ever had: narrowing and recovery come after."""
        if seen in set(Level) and Level(seen).rank > self._level.rank:
            self._level = Level(seen)

    def _follow_ups(self) -> tuple[FollowUp, ...]:
        unratified = self._d.break_glass and not any(s.role is Role.RATIFIED for s in self._d.signatures)
        temporary = len(self._broken.get("enrol-temporary-totp", ())) - len(self._broken.get("end-temporary-totp", ()))
        cards = len(self._broken.get("issue-emergency-card", ())) - len(self._broken.get("revoke-emergency-card", ()))
        over = self._d.state in _ENDED
        counted = (
            (
                "sessions_open",
                self._sessions.open_widened() if over else 0,
                "宣言による接続が残っています。終了を確かめる。",
            ),
            ("temporary_factors", max(0, temporary), "一時的な認証アプリが残っています。失効させる。"),
            ("emergency_cards", max(0, cards), "新しい緊急カードが有効です。回収するか、そのまま使うかを決める。"),
            ("not_reached", _reached(self._m.reach).not_reached, "お知らせが届かなかった人がいます。連絡先を直す。"),
            ("no_answer", self._m.reach.answers(None), "業務可否の回答がない人がいます。安否を確かめる。"),
            ("unratified", int(unratified), "1人での緊急発動が追認されていません。経緯を確かめる。"),
            ("refused_steps", self._denied_steps, "断られた操作があります。理由を確かめ、手順書を直す。"),
            ("guardrail_hits", self._guardrail_hits(), "ガードレールで断られた接続があります。業務の必要を確かめる。"),
            ("distrusted", self._doubts, "署名の合わない宣言がありました。至急、情報システム担当が調べる。"),
            (
                "policy_changed",
                max(0, len(self._policies) - 1) or int("" not in self._rules and self._rules[0] != self._rules[1]),
                "期間中に決まりが変更されました。ふだんの決まりに戻っているか確かめる。",
            ),
            ("blocked", len(self._d.blocked), "期間中に個別に止めた人がいます。今後の扱いを決める。"),
        )
        return tuple(FollowUp(code, count, text) for code, count, text in counted if count)

    def _guardrail_hits(self) -> int:
        return sum(len(names) for (code, _), names in self._refused.items() if code in _GUARDED)


def _figure(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else plain(value)


def _reached(reach: Reach) -> Reached:
    return Reached(
        people=len(reach.people),
        told=reach.told,
        read=reach.read,
        not_reached=reach.failed,
        can=reach.answers(Ability.CAN),
        partly=reach.answers(Ability.PARTLY),
        cannot=reach.answers(Ability.CANNOT),
        no_answer=reach.answers(None),
    )
