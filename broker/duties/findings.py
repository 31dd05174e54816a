"""What can be wrong with a register or a file of one: one row of words per finding. Pure.

A *fault* keeps an import from being applied. An *orphan* is left for somebody to settle (a first-response duty without
people, a department without approver): it is shown and does not hold anything up. Values come from files: text only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from broker.duties.models import Kind

_MOST_CHARS: Final = 80
_LISTS: Final = dict.fromkeys(("known", "missing", "choices_ja", "choices_en"), 400)
"""Values that are ours, not the file's."""


class Severity(StrEnum):
    """Whether a finding stops the import."""

    FAULT = "fault"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True)
class Wording:
    """What is wrong and what to do about it, in both languages, with places for values."""

    severity: Severity
    text_ja: str
    text_en: str
    remedy_ja: str
    remedy_en: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding at one place. `line` counts from 1; file and line are None for what is already stored."""

    code: str
    severity: Severity
    file: str | None
    line: int | None
    kind: Kind | None
    entry_id: str | None
    text_ja: str
    text_en: str
    remedy_ja: str
    remedy_en: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file something stands."""

    file: str | None = None
    line: int | None = None
    kind: Kind | None = None
    entry_id: str | None = None


def _fault(text_ja: str, text_en: str, remedy_ja: str, remedy_en: str) -> Wording:
    return Wording(Severity.FAULT, text_ja, text_en, remedy_ja, remedy_en)


def _orphan(text_ja: str, text_en: str, remedy_ja: str, remedy_en: str) -> Wording:
    return Wording(Severity.ORPHAN, text_ja, text_en, remedy_ja, remedy_en)


_SAVE_JA: Final = "表計算ソフトで「CSV UTF-8（コンマ区切り）」を選んで保存し直してください。"
_SAVE_EN: Final = "Save it again as “CSV UTF-8 (comma delimited)”."

WORDINGS: Final[dict[str, Wording]] = {
    # the file
    "undecodable": _fault(
        "文字として読めない部分があります（{count}バイト、最初は {bytes}）。",
        "A part cannot be read as text ({count} bytes, the first are {bytes}).",
        "外字が使われている可能性があります。その文字を直し、UTF-8で保存してください。",
        "It may be a user-defined character. Replace it and save the file as UTF-8.",
    ),
    "utf_16": _fault("UTF-16で保存されています。", "The file is saved as UTF-16.", _SAVE_JA, _SAVE_EN),
    "not_csv": _fault(
        "CSVとして読めません（{detail}）。",
        "This is not readable as CSV ({detail}).",
        "引用符（\"）が閉じているか確かめてください。",
        "Check that every quotation mark (\") is closed.",
    ),
    "not_yaml": _fault(
        "YAMLとして読めません（{detail}）。",
        "This is not readable as YAML ({detail}).",
        "字下げと引用符を確かめてください。",
        "Check indentation and quotation marks.",
    ),
    "alias": _fault(
        "YAMLの参照（& と *）は使えません。",
        "References (& and *) of YAML cannot be used.",
        "内容をそのまま書いてください。",
        "Write the content out.",
    ),
    "empty_file": _fault(
        "内容がありません。",
        "The file holds nothing.",
        "正しいファイルか確かめてください。",
        "Check that it is the right file."
    ),
    "too_large": _fault(
        "大きすぎます（{limit}まで）。",
        "It is too large (at most {limit}).",
        "ファイルを分けるか、不要な行を消してください。",
        "Split the file or remove what is not needed.",
    ),
    "file_name": _fault(
        "ファイルの種類が分かりません。",
        "The kind of the file is not clear.",
        "名前を .csv または .yaml で終わらせてください。",
        "Let its name end in .csv or .yaml.",
    ),
    "unknown_columns": _fault(
        "見出しの行から、何の一覧か分かりません。",
        "The heading line does not tell what this is a list of.",
        "書き出したファイルの見出しの行を使ってください。最も近い一覧（{list}）に足りない列: {missing}",
        "Use the heading line of an exported file. Columns that the nearest list ({list}) lacks: {missing}",
    ),
    "extra_column": _fault(
        "列「{column}」は使えません。",
        "The column “{column}” is not known.",
        "列を消すか、名前を直してください。使える列: {known}",
        "Remove the column or correct its name. Known columns: {known}",
    ),
    "column_twice": _fault(
        "列「{column}」が2つあります。",
        "The column “{column}” stands twice.",
        "どちらかを消してください。",
        "Remove one of the two.",
    ),
    "cells": _fault(
        "列の数が見出しと違います（{found}列、見出しは{wanted}列）。",
        "The number of cells differs from the heading ({found} instead of {wanted}).",
        "値にコンマが含まれるときは、引用符で囲んでください。",
        "Put a value that holds a comma in quotation marks.",
    ),
    "shape": _fault(
        "{what} の書き方が違います。",
        "{what} is not in the right form.",
        "書き出したYAMLファイルと同じ形にしてください。",
        "Give it the form of an exported YAML file.",
    ),
    "unknown_key": _fault(
        "項目「{key}」は使えません。",
        "The field “{key}” is not known.",
        "消すか、名前を直してください。使える項目: {known}",
        "Remove it or correct its name. Known fields: {known}",
    ),
    "format": _fault(
        "形式の番号が {found} です。",
        "The number of the format is {found}.",
        "1行目に「format: 1」と書いてください。",
        "Write “format: 1” in the first line.",
    ),
    "list_twice": _fault(
        "「{list}」の一覧が2つのファイルにあります（もう1つは {other}）。",
        "Two files hold the list “{list}” (the other one is {other}).",
        "1つにまとめてください。一覧は丸ごと置き換わります。",
        "Join them: a list is replaced as a whole.",
    ),
    # a value
    "missing": _fault(
        "「{column}」が空です。", "“{column}” is empty.", "値を入れてください。", "Fill it in."
    ),
    "bad_id": _fault(
        "「{column}」の値「{value}」は使えません。",
        "The value “{value}” of “{column}” cannot be used.",
        "{rule_ja}にしてください。",
        "Use {rule_en}.",
    ),
    "bad_text": _fault(
        "「{column}」に使えない文字があるか、長すぎます（{limit}文字まで）。",
        "“{column}” holds characters that cannot be used, or is too long (at most {limit}).",
        "制御文字と前後の余分な文字を消してください。",
        "Remove control characters and shorten it.",
    ),
    "bad_choice": _fault(
        "「{column}」の値「{value}」は選択肢にありません。",
        "The value “{value}” of “{column}” is not one of the choices.",
        "次のどれかにしてください: {choices_ja}",
        "Use one of: {choices_en}",
    ),
    "bad_number": _fault(
        "「{column}」の値「{value}」は{least}から{most}までの数ではありません。",
        "The value “{value}” of “{column}” is not a number from {least} to {most}.",
        "半角の数字だけで書いてください。",
        "Write digits only.",
    ),
    "bad_network": _fault(
        "「{value}」はネットワークではありません。",
        "“{value}” is not a network.",
        "10.1.0.0/16 の形で書いてください。",
        "Write it like 10.1.0.0/16.",
    ),
    "same_id": _fault(
        "「{id}」は{line}行目にもあります。",
        "“{id}” already stands in line {line}.",
        "どちらかを消すか、番号を直してください。",
        "Remove one or correct its number.",
    ),
    # across entries
    "same_username": _fault(
        "ユーザー名「{username}」は職員「{other}」と同じです。",
        "The user name “{username}” is also that of staff {other}.",
        "ユーザー名を直してください。",
        "Correct the user name.",
    ),
    "same_name": _fault(
        "所属名「{name}」は所属「{other}」と同じです。",
        "The department name “{name}” is also that of {other}.",
        "名前を直してください。",
        "Correct the name.",
    ),
    "same_network": _fault(
        "ネットワーク「{network}」は拠点「{other}」にもあります。",
        "The network “{network}” is also that of site {other}.",
        "どちらかの拠点から消してください。",
        "Remove it from one of them.",
    ),
    "unknown_site": _fault(
        "拠点「{id}」がありません。",
        "There is no site “{id}”.",
        "拠点の一覧に加えるか、値を直してください。",
        "Add it to the sites or correct the value.",
    ),
    "unknown_department": _fault(
        "所属コード「{id}」がありません。",
        "There is no department “{id}”.",
        "所属の一覧に加えるか、値を直してください。",
        "Add it to the departments or correct the value.",
    ),
    "unknown_staff": _fault(
        "「{column}」の「{id}」は職員の一覧にありません。",
        "“{id}” in “{column}” is not on the list of staff.",
        "職員番号またはユーザー名を確かめてください。退職・異動した人は名簿から外してください。",
        "Check the staff number or user name. Take people who have left off the roster.",
    ),
    "lost_zeros": _fault(
        "「{column}」の「{id}」は職員の一覧にありません。",
        "“{id}” in “{column}” is not on the list of staff.",
        "「{guess}」（{name}）ではありませんか。表計算ソフトが先頭の0を消すことがあります。列を文字列として開いてください。",
        "Is “{guess}” ({name}) meant? Spreadsheets drop leading zeros: open the column as text.",
    ),
    "ambiguous_staff": _fault(
        "「{column}」の「{id}」は、職員「{first}」の番号で、職員「{second}」のユーザー名でもあります。",
        "“{id}” in “{column}” is the number of staff {first} and the user name of staff {second}.",
        "職員番号で書いてください。",
        "Write the staff number.",
    ),
    "duplicate_staff": _fault(
        "「{column}」に「{id}」（{name}）が2回あります。",
        "“{id}” ({name}) stands twice in “{column}”.",
        "1回だけにしてください。",
        "Leave one.",
    ),
    "both_parts": _fault(
        "「{id}」（{name}）が担当者と代替者の両方にあります。",
        "“{id}” ({name}) is both on the roster and a substitute.",
        "どちらか一方にしてください。",
        "Choose one.",
    ),
    "unknown_pool": _fault(
        "プール「{id}」がありません。",
        "There is no pool “{id}”.",
        "「kakehashi pool list」で確かめてください。",
        "See `kakehashi pool list`.",
    ),
    "unknown_desktop": _fault(
        "固定デスクトップ「{id}」がありません。",
        "There is no static desktop “{id}”.",
        "「kakehashi desktop list」で確かめてください。",
        "See `kakehashi desktop list`.",
    ),
    "other_zone": _fault(
        "業務は{duty_zone_ja}で、「{id}」は{pool_zone_ja}です。",
        "The duty belongs to the zone {duty_zone_en}, “{id}” to {pool_zone_en}.",
        "同じ接続系のプールにしてください。",
        "Use a pool of the same zone.",
    ),
    "never_but_places": _fault(
        "テレワーク不可の業務に、利用プールまたは利用端末があります。",
        "A duty that may never be done by telework names pools or desktops.",
        "プールと端末を空にするか、区分を直してください。",
        "Leave both empty or correct the class.",
    ),
    "my_number": _fault(
        "マイナンバー利用事務系の業務は、テレワーク不可以外にできません。",
        "A duty of the My Number zone can only be “never”.",
        "区分を「不可」にしてください。",
        "Set the class to “never”.",
    ),
    "resume_too_late": _fault(
        "優先度{priority}の目標復旧時間は{limit_ja}以内です。",
        "A duty of {priority} must resume within {limit_en}.",
        "目標復旧時間か優先度を直してください。",
        "Correct the target or the priority.",
    ),
    # orphans
    "no_people": _orphan(
        "優先度{priority}の業務に、いま働ける担当者がいません。",
        "A duty of {priority} has nobody on its roster who is at work.",
        "担当者を決めてください。",
        "Name people.",
    ),
    "no_substitute": _orphan(
        "優先度{priority}の業務に代替者がいません。",
        "A duty of {priority} has no substitute.",
        "代替者を決めてください。",
        "Name a substitute.",
    ),
    "no_place": _orphan(
        "テレワークできる業務に、利用プールも利用端末もありません。",
        "A duty that may be done by telework names neither pool nor desktop.",
        "使う場所を決めてください。",
        "Name where it is done.",
    ),
    "no_condition": _orphan(
        "条件付の業務に、条件が書かれていません。",
        "A conditional duty does not say its condition.",
        "職員に示す条件を書いてください。",
        "Write the condition that staff are shown.",
    ),
    "no_approver": _orphan(
        "いま働ける承認者がいません。",
        "The department has no approver who is at work.",
        "承認者を決めてください。",
        "Name an approver.",
    ),
    "gaiji": _orphan(
        "名前に外字（{codes}）があります。ほかの端末では表示できません。",
        "A name holds user-defined characters ({codes}), which other machines cannot show.",
        "JIS X 0213の文字か、読みに直してください。",
        "Use a character of JIS X 0213 or the reading.",
    ),
}  # fmt: skip


def finding(code: str, place: Place, **values: object) -> Finding:
    """A finding in words. Values are cut to a readable length."""
    words = WORDINGS[code]
    shown = {key: _short(str(value), _LISTS.get(key, _MOST_CHARS)) for key, value in values.items()}
    return Finding(
        code=code,
        severity=words.severity,
        file=place.file,
        line=place.line,
        kind=place.kind,
        entry_id=place.entry_id,
        text_ja=words.text_ja.format(**shown),
        text_en=words.text_en.format(**shown),
        remedy_ja=words.remedy_ja.format(**shown),
        remedy_en=words.remedy_en.format(**shown),
    )


def _short(text: str, limit: int) -> str:
    plain = "".join(c if c.isprintable() or c == "\u3000" else "�" for c in text)
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
