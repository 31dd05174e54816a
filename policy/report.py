"""Printable text for `kakehashi policy check FILE` and `kakehashi policy explain USER POOL`, Japanese or English.
Pure.

Counterpart: the command line, which reads the file, asks for the person's facts and prints. Columns allow for the
double width of Japanese characters. Must not decide.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeVar

from policy import wording
from policy.calendar import JST
from policy.checks import check
from policy.engine import Engine
from policy.explanation import Finding, Outcome
from policy.guardrails import GUARDRAILS
from policy.loading import parse
from policy.model import Decision, Obligations, Request
from policy.problems import PolicyInvalid, Problem, Severity
from policy.schema import Effect, Layer, PolicyDocument, Rule, duration_text

Language = Literal["ja", "en"]
T = TypeVar("T")

_EFFECTS: Final = {
    Effect.PERMIT: ("許可", "permit"),
    Effect.FORBID: ("禁止", "forbid"),
    Effect.LIMIT: ("制限", "limit"),
}
_LAYERS: Final = {
    Layer.NORMAL: ("通常", "normal"),
    Layer.BCP: ("BCP", "bcp"),
    Layer.CAPACITY: ("混雑", "capacity"),
    Layer.GUARDRAIL: ("安全策", "guardrail"),
}
_MARKS: Final = {
    Outcome.MET: ("○ 該当", "yes"),
    Outcome.UNMET: ("－ 非該当", "no"),
    Outcome.UNKNOWN: ("? 不明", "unknown"),
}
_WEEKDAYS_JA: Final = "月火水木金土日"


@dataclass(frozen=True, slots=True)
class Report:
    """Text to print, and whether all is well (the command's exit status)."""

    text: str
    ok: bool


def check_report(content: bytes | str, *, name: str, today: date, language: Language = "ja") -> Report:
    """Every problem of a policy file with rule, place and line, then a table of its rules when it can be used."""
    try:
        document, lines = parse(content)
    except PolicyInvalid as error:
        return Report(_problems(error.problems, name, language), ok=False)
    problems = check(document, lines, today=today)
    text = _problems(problems, name, language)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return Report(text, ok=False)
    engine = Engine(document)
    counted = f"{len(document.rules)} + {len(GUARDRAILS)}"
    summary = _pick(
        language,
        f"使用できます。版 {engine.version}、規則 {counted}（組み込みの安全策）",
        f"Can be used. Version {engine.version}, rules {counted} (built-in guardrails)",
    )
    return Report(f"{text}{summary}\n\n{rules_table(document, language)}", ok=True)


def rules_table(document: PolicyDocument, language: Language = "ja") -> str:
    """All rules in words, guardrails last: to hand to somebody who reads no YAML."""
    head = _pick(language, ("規則", "層", "効果", "名称", "条件"), ("rule", "layer", "effect", "name", "when"))
    rows = [
        (*_identity(rule, language), _pick(language, *wording.sentence(rule.when)))
        for rule in (*document.rules, *GUARDRAILS)
    ]
    return _table([head, *rows])


def explain_report(engine: Engine, request: Request, language: Language = "ja") -> Report:
    """May this person use this pool, on which terms or why not, and every rule with what it lacks. `ok` = allowed."""
    decision = engine.decide(request)
    explanation = engine.explain(request)
    head = _pick(
        language,
        ("規則", "層", "効果", "名称", "判定", "満たしていない条件・不明な条件（?）"),
        ("rule", "layer", "effect", "name", "matches", "conditions not met or not known (?)"),
    )
    ranked = sorted(explanation.findings, key=_rank)
    rows = [
        (*_identity(finding.rule, language), _pick(language, *_MARKS[finding.outcome]), _lacks(finding, language))
        for finding in ranked
    ]
    return Report(f"{_verdict(decision, request, language)}\n\n{_table([head, *rows])}", ok=decision.allowed)


def _verdict(decision: Decision, request: Request, language: Language) -> str:
    who, where = request.subject.username, request.resource.pool_id
    reason = _pick(language, decision.reason.text_ja, decision.reason.text_en)
    rules = ", ".join(decision.rule_ids) or "-"
    allowed = (
        _pick(language, "利用できる", "allowed") if decision.allowed else _pick(language, "利用できない", "refused")
    )
    lines = [
        f"{who} → {where}: {allowed}",
        f"{_pick(language, '理由', 'Reason')}: {reason} [{decision.reason.code}]",
        f"{_pick(language, '決めた規則', 'Decided by')}: {rules}",
        f"{_pick(language, '判定日時', 'Judged at')}: {_moment(request.context.now, language)}",
        f"{_pick(language, 'ポリシーの版', 'Policy version')}: {decision.policy_version}",
    ]
    if decision.reason.available_from:
        opens = _moment(decision.reason.available_from, language)
        lines.insert(2, f"{_pick(language, '次に利用できる日時', 'Available from')}: {opens}")
    if decision.grant:
        lines.insert(2, f"{_pick(language, '条件', 'Terms')}: {_terms(decision.grant.obligations, language)}")
    return "\n".join(lines)


def _terms(terms: Obligations, language: Language) -> str:
    idle, total = duration_text(terms.idle_limit), duration_text(terms.total_limit)
    parts = [
        _pick(language, "閲覧のみ", "look only") if terms.view_only else _pick(language, "操作可", "full control"),
        _pick(language, f"貼り付け {terms.clipboard_in_chars:,}文字", f"paste in {terms.clipboard_in_chars:,} chars"),
        _pick(language, f"持ち出し {terms.clipboard_out_chars:,}文字", f"copy out {terms.clipboard_out_chars:,} chars"),
        _pick(language, "透かしあり", "watermark on")
        if terms.watermark
        else _pick(language, "透かしなし", "watermark off"),
        _pick(language, f"無操作 {idle}", f"idle {idle}"),
        _pick(language, f"連続 {total}", f"total {total}"),
        _pick(language, f"画質 {terms.quality}", f"quality {terms.quality}"),
    ]
    return _pick(language, "、", ", ").join(parts)


def _identity(rule: Rule, language: Language) -> tuple[str, str, str, str]:
    return (
        rule.id,
        _pick(language, *_LAYERS[rule.layer]),
        _pick(language, *_EFFECTS[rule.effect]),
        _pick(language, rule.name.ja, rule.name.en),
    )


def _rank(finding: Finding) -> tuple[bool, int, str]:
    """What decided first, then the nearest permits."""
    decided = finding.permits or finding.forbids or finding.binds
    return not decided, len(finding.missing), finding.rule.id


def _lacks(finding: Finding, language: Language) -> str:
    unmet = [_pick(language, condition.text_ja, condition.text_en) for condition in finding.unmet]
    unknown = ["? " + _pick(language, condition.text_ja, condition.text_en) for condition in finding.unknown]
    return " / ".join([*unmet, *unknown])


def _problems(problems: Iterable[Problem], name: str, language: Language) -> str:
    labels = {Severity.ERROR: ("誤り", "error"), Severity.WARNING: ("注意", "warning")}
    lines = [
        f"{name}:{problem.line or '-'}: {_pick(language, *labels[problem.severity])}: "
        f"{f'[{problem.rule_id}] ' if problem.rule_id else ''}{problem.path}: "
        f"{_pick(language, problem.text_ja, problem.text_en)}"
        for problem in problems
    ]
    return "".join(f"{line}\n" for line in lines)


def _moment(moment: datetime, language: Language) -> str:
    local = moment.astimezone(JST)
    if language == "ja":
        return f"{local:%Y-%m-%d}（{_WEEKDAYS_JA[local.weekday()]}）{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M} (JST)"


def _pick(language: Language, ja: T, en: T) -> T:
    return ja if language == "ja" else en


def _table(rows: list[tuple[str, ...]]) -> str:
    """Columns padded to their widest cell; the last one is left ragged."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, [*widths, 0], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * min(120, max(map(_width, lines))))
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)
