"""The proof at load time that a plan can only widen, and only inside the guardrails. Pure.

Counterparts: `policy.bcp.plan` (the shape, which has no word for a forbid), `policy.checks` (the layers' shapes). Every
refusal names the plan and the line of it, and says why in Japanese and English. What is proven here for the text is
proven again for decisions by property tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from policy.bcp.plan import Plan, PlanFile, Widening, parse, placed_rules
from policy.checks import check
from policy.guardrails import GUARDRAILS
from policy.implication import contradiction, implies
from policy.loading import Lines, Loc, line_of, near, path
from policy.model import Resource, Zone
from policy.problems import PolicyInvalid, Problem, Severity
from policy.schema import Bcp, Effect, Layer, PolicyDocument, Rule, When

_NEVER: Final = frozenset({Zone.MY_NUMBER, None})
_RANK: Final = ("slow", "standard", "high")


def load(
    content: bytes | str,
    base: PolicyDocument,
    *,
    today: date,
    known: Sequence[Resource] = (),
    guardrails: Sequence[Rule] = GUARDRAILS,
) -> tuple[tuple[Plan, ...], tuple[Problem, ...]]:
    """Plans that may be declared, and warnings. Raises PolicyInvalid with every problem found.

    `known`: the pools that exist, where they are known; a plan that names others is warned about.
    """
    file, lines = parse(content)
    problems = prove(file, lines, base, today=today, known=known, guardrails=guardrails)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise PolicyInvalid(problems)
    return file.plans, problems


def prove(
    file: PlanFile,
    lines: Lines,
    base: PolicyDocument,
    *,
    today: date,
    known: Sequence[Resource] = (),
    guardrails: Sequence[Rule] = GUARDRAILS,
) -> tuple[Problem, ...]:
    """All problems of well-formed plans beside this base policy. With an error among them none may be declared."""
    return tuple(_problems(file, lines, base, today, known, guardrails))


def guardrail_faults(guardrails: Sequence[Rule]) -> Iterator[Problem]:
    """A guardrail only forbids or limits and never names BCP: no declaration can reach it."""
    for rule in guardrails:
        if rule.layer is not Layer.GUARDRAIL or rule.effect is Effect.PERMIT or names_bcp(rule.when):
            yield Problem(
                Severity.ERROR,
                rule.id,
                "安全策がBCPの宣言を条件にしているか、許可を与えています。プログラムの誤りです。",
                "A guardrail depends on BCP or permits something: a fault of the program.",
                rule.id,
            )


def names_bcp(when: When) -> bool:
    """Whether BCP stands anywhere in the conditions."""
    inner = (*(when.any_of or ()), *(when.all_of or ()), *((when.not_,) if when.not_ else ()))
    return when.bcp is not None or any(map(names_bcp, inner))


def _problems(
    file: PlanFile,
    lines: Lines,
    base: PolicyDocument,
    today: date,
    known: Sequence[Resource],
    guardrails: Sequence[Rule],
) -> Iterator[Problem]:
    yield from guardrail_faults(guardrails)
    seen: set[str] = set()
    for index, plan in enumerate(file.plans):
        loc: Loc = ("plans", index)
        if plan.id in seen:
            yield _error((*loc, "id"), lines, plan.id, "同じidの計画が複数あります。", "Two plans have this id.")
        seen.add(plan.id)
        yield from _ids(plan, loc, lines)
        yield from _drill(plan, loc, lines)
        for rules in (tuple(placed_rules(plan, drill=False)), tuple(placed_rules(plan, drill=True))):
            yield from _rules(plan, rules, loc, lines, base, today, guardrails)
        yield from _targets(plan, loc, lines, known)


def _ids(plan: Plan, loc: Loc, lines: Lines) -> Iterator[Problem]:
    """Ids are used once; the second level may repeat one of the first only to make it wider."""
    first = {widening.id: widening for widening in plan.first}
    for level, listed in (("first", plan.first), ("second", plan.second)):
        ids: set[str] = set()
        for index, widening in enumerate(listed):
            place = (*loc, level, index)
            name = f"{plan.id}/{widening.id}"
            if widening.id in ids:
                yield _error(place, lines, name, "同じidの項目が複数あります。", "Two lines have this id.")
            ids.add(widening.id)
            if level == "second" and (narrower := first.get(widening.id)) and not _wider(plan, narrower, widening):
                yield _error(
                    place,
                    lines,
                    name,
                    f"第2次の「{widening.id}」が第1次より狭くなっています。第2次は第1次を含まなければなりません。",
                    f"{widening.id!r} is narrower at the second level than at the first, which it must contain.",
                )


def _wider(plan: Plan, narrow: Widening, wide: Widening) -> bool:
    rules = {widening.id: rule for rule, widening in _twins(plan, narrow, wide)}
    one, other = rules[f"{narrow.id}1"], rules[f"{narrow.id}2"]
    low, high = narrow.terms, wide.terms
    better = all(
        (getattr(high, key) or default) >= (getattr(low, key) or default)
        for key, default in (("clipboard_in_chars", 0), ("clipboard_out_chars", 0))
    )
    lengths = all(
        getattr(low, key) is None or (getattr(high, key) is not None and getattr(high, key) >= getattr(low, key))
        for key in ("idle_limit", "total_limit")
    )
    quality = _RANK.index(high.quality or "standard") >= _RANK.index(low.quality or "standard")
    seeing = bool(low.view_only) or not high.view_only
    return implies(without_bcp(one), without_bcp(other)) and better and lengths and quality and seeing


def _twins(plan: Plan, narrow: Widening, wide: Widening) -> Iterator[tuple[Rule, Widening]]:
    for mark, widening in (("1", narrow), ("2", wide)):
        named = widening.model_copy(update={"id": f"{widening.id}{mark}"})
        alone = plan.model_copy(update={"first": (named,), "second": (), "drill": None})
        for rule, _place in placed_rules(alone, drill=False):
            yield rule, named


def without_bcp(rule: Rule) -> When:
    """The rule's conditions but for the declaration."""
    return rule.when.model_copy(update={"bcp": None})


def _drill(plan: Plan, loc: Loc, lines: Lines) -> Iterator[Problem]:
    """A drill uses lines of the plan only, none at a lower level than in earnest, and each on its own pools."""
    if plan.drill is None:
        return
    first, both = {w.id for w in plan.first}, {w.id for w in (*plan.first, *plan.second)}
    for level, used, allowed in (("first", plan.drill.first, first), ("second", plan.drill.second, both)):
        for index, widening_id in enumerate(used):
            if widening_id not in allowed:
                yield _error(
                    (*loc, "drill", level, index),
                    lines,
                    f"{plan.id}/drill",
                    f"訓練は実際の計画を超えられません。「{widening_id}」はこの段階の計画にありません。",
                    f"A drill cannot exceed the real plan, which has no {widening_id!r} at this level.",
                )
    real = tuple(rule for rule, _place in placed_rules(plan, drill=False))
    for rule, _place in placed_rules(plan, drill=True):
        name = rule.id.rsplit("-", 1)[-1]
        if contradiction(rule.when):
            yield _error(
                (*loc, "drill", "pools"),
                lines,
                f"{plan.id}/drill",
                f"訓練のプールは「{name}」の接続先に含まれていないため、何も許可しません。",
                f"The drill's pools are not among the targets of {name!r}: it would permit nothing.",
            )
        elif not any(_no_more(rule, other) for other in real):
            yield _error(
                (*loc, "drill"),
                lines,
                f"{plan.id}/drill",
                "訓練が実際の計画を超えています。",
                "The drill exceeds the real plan.",
            )


def _no_more(drill: Rule, real: Rule) -> bool:
    """Whether the drill's rule gives nothing, and not earlier, that the real one does not give."""
    level, earnest = drill.when.bcp and drill.when.bcp.level, real.when.bcp and real.when.bcp.level
    return implies(without_bcp(drill), without_bcp(real)) and drill.terms == real.terms and earnest in ("first", level)


def _rules(
    plan: Plan,
    placed: Sequence[tuple[Rule, Loc]],
    loc: Loc,
    lines: Lines,
    base: PolicyDocument,
    today: date,
    guardrails: Sequence[Rule],
) -> Iterator[Problem]:
    """What `policy.checks` finds in the rules when they stand beside the base policy, and what guardrails cover."""
    places = {rule.id: (*loc, *place) for rule, place in placed}
    joined = base.model_copy(update={"rules": (*base.rules, *(rule for rule, _place in placed))})
    covered = {rule.id for rule, _place in placed for _g in _covering(rule, guardrails)}
    for problem in check(joined, {}, today=today):
        if problem.rule_id in places and not (problem.rule_id in covered and problem.severity is Severity.WARNING):
            place = places[problem.rule_id]
            name = f"{plan.id}/{problem.rule_id.rsplit('-', 1)[-1]}"
            yield replace(problem, path=path(place), rule_id=name, line=line_of(place, lines))
    for rule, place in placed:
        name = f"{plan.id}/{rule.id.rsplit('-', 1)[-1]}"
        if rule.layer is not Layer.BCP or rule.effect is not Effect.PERMIT or not isinstance(rule.when.bcp, Bcp):
            yield _error((*loc, *place), lines, name, "計画は広げるだけです。", "A plan only widens.")
        for guardrail in _covering(rule, guardrails):
            yield _error(
                (*loc, *place),
                lines,
                name,
                f"安全策 {guardrail.id}（{guardrail.name.ja}）に完全に覆われ、広げることはできません。",
                f"Wholly covered by the guardrail {guardrail.id} ({guardrail.name.en}), which no plan can widen.",
            )


def _covering(rule: Rule, guardrails: Sequence[Rule]) -> Iterator[Rule]:
    """Guardrails that take away all that the rule would give, or all of a term that it offers."""
    for guardrail in guardrails:
        if not implies(rule.when, guardrail.when):
            continue
        if guardrail.effect is Effect.FORBID:
            yield guardrail
        offered, cap = rule.terms and rule.terms.clipboard_out_chars, guardrail.oblige
        if offered and cap is not None and cap.clipboard_out_chars == 0:
            yield guardrail


def _targets(plan: Plan, loc: Loc, lines: Lines, known: Sequence[Resource]) -> Iterator[Problem]:
    """Pools that do not exist (a warning: they may come), or that no plan can open."""
    if not known:
        return
    pools = {str(resource.pool_id): resource for resource in known}
    for level, listed in (("first", plan.first), ("second", plan.second)):
        for index, widening in enumerate(listed):
            place, name = (*loc, level, index, "targets"), f"{plan.id}/{widening.id}"
            for pool in widening.targets.pools or ():
                if pool not in pools:
                    meant = near(pool, list(pools))
                    hint_ja, hint_en = (
                        (f"「{meant}」ではありませんか。", f" Did you mean {meant!r}?") if meant else ("", "")
                    )
                    yield Problem(
                        Severity.WARNING,
                        path(place),
                        f"プール「{pool}」はありません。{hint_ja}",
                        f"There is no pool {pool!r}.{hint_en}",
                        name,
                        line_of(place, lines),
                    )
                elif pools[pool].zone in _NEVER:
                    yield _error(
                        place,
                        lines,
                        name,
                        f"プール「{pool}」は安全策（GR-MY-NUMBER、GR-ZONE）により、どの計画でも利用できません。",
                        f"No plan can open the pool {pool!r}: guardrails GR-MY-NUMBER and GR-ZONE forbid it.",
                    )


def _error(loc: Loc, lines: Lines, name: str, text_ja: str, text_en: str) -> Problem:
    return Problem(Severity.ERROR, path(loc), text_ja, text_en, name, line_of(loc, lines))
