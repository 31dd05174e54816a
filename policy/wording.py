"""Conditions in words, Japanese and English: for explanations, reports and the general-affairs section. Pure.

Counterpart: `policy.conditions` (what they do). Must not decide anything.
"""

from collections.abc import Mapping
from typing import Final

from policy.calendar import DayKind, Weekday
from policy.schema import Age, Bcp, Dates, Hours, Threshold, When, duration_text

_LISTS: Final[Mapping[str, tuple[str, str]]] = {
    "groups": ("グループ", "group"),
    "departments": ("所属", "department"),
    "duties": ("業務", "duty"),
    "employment": ("任用区分", "employment"),
    "users": ("利用者", "user"),
    "pools": ("プール", "pool"),
    "pool_classes": ("プール種別", "pool class"),
    "zones": ("接続系", "zone"),
    "sites": ("拠点", "site"),
    "networks": ("接続元ネットワーク", "source network"),
    "device_kinds": ("端末種別", "device kind"),
    "factors": ("第二の認証の種類", "second factor"),
}
_TRUTHS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    "suspended": (("利用停止中である", "is suspended"), ("利用停止中でない", "is not suspended")),
    "device_registered": (
        ("登録済みの端末である", "device is registered"),
        ("登録していない端末である", "device is not registered"),
    ),
    "same_tenant": (("同じ団体である", "same municipality"), ("別の団体である", "another municipality")),
    "zone_known": (("接続系が決まっている", "zone is known"), ("接続系が不明である", "zone is not known")),
}
_AGES: Final[Mapping[str, tuple[str, str]]] = {
    "password_age": ("パスワード確認からの経過", "time since the password"),
    "totp_age": ("ワンタイムコード確認からの経過", "time since the one-time code"),
}
_THRESHOLDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "seats_used_percent": ("席の使用率", "seats used", "%"),
    "gateway_load_percent": ("ゲートウェイの負荷", "gateway load", "%"),
    "user_sessions": ("本人の利用中セッション数", "the person's sessions", ""),
}
_DAY_KINDS: Final[Mapping[DayKind, tuple[str, str]]] = {
    DayKind.EVERY_DAY: ("毎日", "every day"),
    DayKind.WORKDAYS: ("開庁日", "workdays"),
    DayKind.HOLIDAYS: ("閉庁日", "days when the office is closed"),
}
_WEEKDAYS_JA: Final = dict(zip(Weekday, "月火水木金土日", strict=True))
_LEVELS: Final = {"first": ("第1次", "level 1"), "second": ("第2次", "level 2")}


def describe(key: str, value: object) -> tuple[str, str]:
    """The condition `key: value` in Japanese and English."""
    match value:
        case bool():
            return _TRUTHS[key][0 if value else 1]
        case int() if key == "days_a_week":
            return f"今日を含めて週{value}日まで", f"at most {_days(value)} this week, today included"
        case Hours():
            return _hours(value)
        case Dates():
            return _dates(value)
        case Age():
            return _age(key, value)
        case Threshold():
            return _threshold(key, value)
        case Bcp(plan=plan, level=level):
            return (
                f"BCP「{plan}」{_LEVELS[level][0]}以上の発動中",
                f"BCP {plan!r} declared at {_LEVELS[level][1]} or above",
            )
        case When():
            text_ja, text_en = sentence(value)
            return f"（{text_ja}）でない", f"not ({text_en})"
        case tuple() if key in _LISTS:
            names = [str(name) for name in value]
            return f"{_LISTS[key][0]}が {'・'.join(names)}", f"{_LISTS[key][1]} is {' or '.join(names)}"
        case tuple():
            parts = [sentence(part) for part in value if isinstance(part, When)]
            glue_ja, glue_en = ("」または「", ") or (") if key == "any_of" else ("」かつ「", ") and (")
            return f"「{glue_ja.join(p[0] for p in parts)}」", f"({glue_en.join(p[1] for p in parts)})"
        case _:
            raise TypeError(key)


def sentence(when: When) -> tuple[str, str]:
    """All conditions of a rule in one sentence."""
    parts = [describe(key, value) for key, value in when.given().items()]
    if not parts:
        return "条件なし（常に）", "always"
    return "、かつ".join(p[0] for p in parts), " and ".join(p[1] for p in parts)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _hours(value: Hours) -> tuple[str, str]:
    windows = [str(span) for span in value.windows]
    if isinstance(value.days, tuple):
        days_ja = "・".join(_WEEKDAYS_JA[day] for day in value.days) + "曜"
        days_en = ", ".join(value.days)
    else:
        days_ja, days_en = _DAY_KINDS[value.days]
    return f"{days_ja}の {'・'.join(windows)}", f"{days_en}, {' or '.join(windows)}"


def _dates(value: Dates) -> tuple[str, str]:
    first = value.from_.isoformat() if value.from_ else ""
    last = value.until.isoformat() if value.until else ""
    text_en = " ".join(part for part in (f"from {first}" if first else "", f"until {last}" if last else "") if part)
    return f"期間 {first}～{last}", text_en


def _age(key: str, value: Age) -> tuple[str, str]:
    name_ja, name_en = _AGES[key]
    if value.at_most is not None:
        return f"{name_ja}が {duration_text(value.at_most)} 以内", f"{name_en} at most {duration_text(value.at_most)}"
    length = duration_text(value.over) if value.over is not None else ""
    return f"{name_ja}が {length} を超える", f"{name_en} over {length}"


def _threshold(key: str, value: Threshold) -> tuple[str, str]:
    name_ja, name_en, unit = _THRESHOLDS[key]
    if value.at_least is not None:
        return f"{name_ja}が {value.at_least}{unit} 以上", f"{name_en} at least {value.at_least}{unit}"
    return f"{name_ja}が {value.below}{unit} 未満", f"{name_en} below {value.below}{unit}"
