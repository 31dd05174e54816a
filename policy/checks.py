"""What is wrong or suspicious in a policy that is well formed: rules compared with layers, networks, guardrails and
each other. Pure.

Counterpart: `policy.loading` (the form), `policy.report` (prints). That a plan can only widen inside the guardrails
is not tested here but made true: the layers' shapes below admit nothing else.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from policy.calendar import MINUTES_A_DAY
from policy.conditions import KINDS, Kind
from policy.guardrails import GUARDRAILS, PREFIX
from policy.implication import contradiction, implies
from policy.loading import Lines, Loc, line_of, near, parse, path
from policy.problems import PolicyInvalid, Problem, Severity
from policy.schema import Effect, Hours, Layer, PolicyDocument, Rule, Terms, When, duration_text

MAX_NESTING: Final = 4
MOST_AROUND: Final = 500_000
"""Networks times their addresses (CIDRs): an engine keeps, of each address, which networks are around it."""
_LEAST: Final = {"idle_limit": timedelta(minutes=1), "total_limit": timedelta(minutes=10)}
_LOADS: Final = frozenset(key for key, kind in KINDS.items() if kind is Kind.LOAD)
_WHO_OR_WHERE: Final = frozenset(
    key for key, kind in KINDS.items() if kind in (Kind.PERSON, Kind.PLACE) and key not in ("suspended", "same_tenant")
)
_EFFECTS: Final = {
    Layer.NORMAL: (Effect.PERMIT, Effect.FORBID, Effect.LIMIT),
    Layer.CAPACITY: (Effect.FORBID, Effect.LIMIT),
    Layer.BCP: (Effect.PERMIT,),
    Layer.GUARDRAIL: (),
}
_Found = tuple[Severity, str, str, str]
"""Severity, place inside the rule, Japanese, English."""


def load(content: bytes | str, *, today: date) -> tuple[PolicyDocument, tuple[Problem, ...]]:
    """A document that may be used, and its warnings. Raises PolicyInvalid with every problem found."""
    document, lines = parse(content)
    problems = check(document, lines, today=today)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise PolicyInvalid(problems)
    return document, problems


def check(document: PolicyDocument, lines: Lines, *, today: date) -> tuple[Problem, ...]:
    """All problems, in file order. A policy with an error among them must not be used."""
    problems: list[Problem] = []
    for index, rule in enumerate(document.rules):
        for severity, place, text_ja, text_en in _rule(rule, document, today):
            loc: Loc = ("rules", index, *place.split("."))
            problems.append(Problem(severity, path(loc), text_ja, text_en, rule.id, line_of(loc, lines)))
    problems += _whole(document, lines)
    return tuple(problems)


def _rule(rule: Rule, document: PolicyDocument, today: date) -> Iterator[_Found]:
    yield from _identity(rule, document)
    yield from _shape(rule)
    yield from _lengths(rule)
    yield from _layer(rule)
    yield from _names(rule, document)
    yield from _never(rule, document, today)
    yield from _hours(rule)
    yield from _capped(rule)


def _identity(rule: Rule, document: PolicyDocument) -> Iterator[_Found]:
    if rule.id.startswith(PREFIX) or rule.layer is Layer.GUARDRAIL:
        yield _error(
            "id",
            "GR-で始まる規則とguardrailの層は組み込みの安全策のためのもので、ファイルには書けません。",
            "Ids that begin with GR- and the guardrail layer belong to the built-in guardrails.",
        )
    if Counter(other.id for other in document.rules)[rule.id] > 1:
        yield _error("id", f"同じid「{rule.id}」の規則が複数あります。", f"More than one rule has the id {rule.id!r}.")


def _shape(rule: Rule) -> Iterator[_Found]:
    if rule.terms and rule.effect is not Effect.PERMIT:
        yield _error("terms", "terms は permit だけに書けます。", "Only a permit has terms.")
    if rule.effect is Effect.LIMIT and not (rule.oblige and rule.oblige.model_fields_set):
        yield _error("oblige", "limit には oblige が必要です。", "A limit needs an oblige.")
    if rule.effect is Effect.FORBID and rule.oblige:
        yield _error("oblige", "forbid に oblige は書けません。", "A forbid has no oblige.")
    if rule.effect is Effect.PERMIT and not rule.when.given():
        yield _error(
            "when",
            "条件のない permit は誰にでもどこからでも許可します。",
            "A permit without conditions lets everybody in.",
        )
    elif rule.effect is Effect.PERMIT and not _anywhere(rule.when) & _WHO_OR_WHERE:
        yield _warning("when", "人も場所も限定していない permit です。", "This permit names neither people nor places.")
    if _depth(rule.when) > MAX_NESTING:
        yield _error("when", "条件の入れ子が深すぎます（上限4段）。", "Conditions are nested too deeply (at most 4).")
    if any(not part.given() for part in _parts(rule.when)):
        yield _error(
            "when", "any_of、all_of、not の中に空の条件があります。", "An empty condition in any_of, all_of or not."
        )


def _lengths(rule: Rule) -> Iterator[_Found]:
    for place, part in (("terms", rule.terms), ("oblige", rule.oblige)):
        for key, least in _LEAST.items():
            if part and (length := getattr(part, key)) and length < least:
                yield _warning(
                    f"{place}.{key}",
                    f"{duration_text(length)} は短すぎて仕事になりません（単位の書き間違いではありませんか）。",
                    f"{duration_text(length)} is too short to work with: is the unit right?",
                )


def _layer(rule: Rule) -> Iterator[_Found]:
    nested = {key for part in _parts(rule.when) for key in part.given()}
    if rule.layer is not Layer.GUARDRAIL and rule.effect not in _EFFECTS[rule.layer]:
        listed = ", ".join(_EFFECTS[rule.layer])
        yield _error(
            "effect",
            f"{rule.layer} の層に書けるのは {listed} だけです。",
            f"The {rule.layer} layer takes only {listed}.",
        )
    if rule.layer is Layer.BCP and rule.when.bcp is None:
        yield _error(
            "when", "bcp の層の規則には条件 bcp（plan と level）が必要です。", "A BCP rule must name plan and level."
        )
    if rule.layer is not Layer.BCP and rule.when.bcp is not None:
        yield _error("when.bcp", "条件 bcp は bcp の層だけで使えます。", "Only the bcp layer may depend on BCP.")
    if "bcp" in nested:
        yield _error(
            "when",
            "条件 bcp は any_of、all_of、not の中では使えません。",
            "bcp may not stand inside any_of, all_of or not.",
        )
    if rule.layer is Layer.BCP and rule.oblige:
        yield _error("oblige", "bcp の層は広げるだけで、oblige は書けません。", "The bcp layer only widens: no oblige.")
    if rule.layer is not Layer.CAPACITY and _anywhere(rule.when) & _LOADS:
        yield _error(
            "when",
            "混雑の条件は capacity の層だけで使えます（利用中のセッションを切らないため）。",
            "Load conditions belong to the capacity layer (elsewhere they would end running sessions).",
        )


def _names(rule: Rule, document: PolicyDocument) -> Iterator[_Found]:
    for part in (rule.when, *_parts(rule.when)):
        for name in part.networks or ():
            if name not in document.networks:
                meant = near(name, list(document.networks))
                hint_ja = f"「{meant}」ではありませんか。" if meant else "networks に定義してください。"
                hint_en = f"Did you mean {meant!r}?" if meant else "Define it under networks."
                yield _error(
                    "when", f"ネットワーク「{name}」は未定義です。{hint_ja}", f"No network {name!r}. {hint_en}"
                )


def _never(rule: Rule, document: PolicyDocument, today: date) -> Iterator[_Found]:
    if key := contradiction(rule.when):
        yield _error(
            "when",
            f"条件 {key} が互いに矛盾し、決して満たされません。",
            f"The conditions on {key} contradict each other.",
        )
        return
    dates = rule.when.dates
    if dates and dates.until and dates.until < today:
        yield _warning("when.dates", "期間が終わっています。", "This period is over.")
    if rule.effect is not Effect.PERMIT:
        return
    for other in (*GUARDRAILS, *document.rules):
        if other.effect is Effect.FORBID and other.id != rule.id and implies(rule.when, other.when):
            yield _warning(
                "when",
                f"禁止の規則 {other.id}（{other.name.ja}）に完全に覆われ、何も許可しません。",
                f"Wholly covered by the forbid {other.id} ({other.name.en}): it permits nothing.",
            )
        if rule.layer is Layer.BCP and other.layer is Layer.NORMAL and _adds_nothing(rule, other):
            yield _warning(
                "when",
                f"通常時の規則 {other.id} と同じ範囲で、何も広げません。",
                f"Widens nothing beyond the normal rule {other.id}.",
            )


def _adds_nothing(rule: Rule, other: Rule) -> bool:
    offers = (rule.terms or Terms()) in (Terms(), other.terms)
    return other.effect is Effect.PERMIT and not other.oblige and offers and implies(rule.when, other.when)


def _hours(rule: Rule) -> Iterator[_Found]:
    for part in (rule.when, *_parts(rule.when)):
        if part.hours and _overlap(part.hours):
            yield _warning("when", "時間帯が重なっています。", "The windows overlap.")


def _capped(rule: Rule) -> Iterator[_Found]:
    if rule.effect is Effect.FORBID and "days_a_week" in _anywhere(rule.when):
        yield _warning(
            "when",
            "禁止の規則に書いた日数の上限は、どのBCP計画でも外せません。permit の条件に書くと、計画で外せます。",
            "A limit of days in a forbid stays under every plan: no BCP plan can lift it. In a permit, one can.",
        )


def _overlap(hours: Hours) -> bool:
    """Windows of one day, and of the night before where they run over midnight into the same day set."""
    spans = sorted((span.start, span.end) for span in hours.windows)
    wrapped = max(end for _, end in spans) - MINUTES_A_DAY
    return any(first[1] > second[0] for first, second in pairwise(spans)) or wrapped > spans[0][0]


def _whole(document: PolicyDocument, lines: Lines) -> Iterator[Problem]:
    used = {name for rule in document.rules for part in (rule.when, *_parts(rule.when)) for name in part.networks or ()}
    if len(document.networks) * sum(len(network.cidrs) for network in document.networks.values()) > MOST_AROUND:
        yield Problem(
            Severity.ERROR,
            "networks",
            f"ネットワークが多すぎます（数とCIDRの総数の積の上限 {MOST_AROUND}）。",
            f"Too many networks: their number times that of all CIDRs is at most {MOST_AROUND}.",
            line=line_of(("networks",), lines),
        )
    for name in document.networks:
        if name not in used:
            loc = ("networks", name)
            yield Problem(
                Severity.WARNING,
                path(loc),
                f"ネットワーク「{name}」はどの規則でも使われていません。",
                f"No rule uses the network {name!r}.",
                line=line_of(loc, lines),
            )
    if not any(rule.effect is Effect.PERMIT for rule in document.rules):
        yield Problem(
            Severity.WARNING,
            "rules",
            "permit が一つもないため、誰も利用できません。",
            "Without a permit nobody gets in.",
        )


def _parts(when: When) -> Iterator[When]:
    """All nested conditions, at any depth."""
    for part in (*(when.any_of or ()), *(when.all_of or ()), *((when.not_,) if when.not_ else ())):
        yield part
        yield from _parts(part)


def _anywhere(when: When) -> set[str]:
    return {key for part in (when, *_parts(when)) for key in part.given()}


def _depth(when: When) -> int:
    inner = (*(when.any_of or ()), *(when.all_of or ()), *((when.not_,) if when.not_ else ()))
    return 1 + max(map(_depth, inner)) if inner else 0


def _error(place: str, text_ja: str, text_en: str) -> _Found:
    return Severity.ERROR, place, text_ja, text_en


def _warning(place: str, text_ja: str, text_en: str) -> _Found:
    return Severity.WARNING, place, text_ja, text_en
