"""Words of notices: every kind says all that people need, in both languages, and a drill says so everywhere."""

from dataclasses import replace
from datetime import timedelta

import pytest

from broker.models import Pool, PoolKind
from common.ids import PoolId, TenantId
from gateway.notices import due
from gateway.notices.banners import login_banner, losing_basis, session_banners
from gateway.notices.model import AUDIENCE, Content, NoticeKind, decode, encode, retry_after
from gateway.notices.texts import plain, words
from policy.bcp.model import (
    Declaration,
    DeclarationState,
    Level,
    PendingExtension,
    Role,
    Scope,
    ScopeKind,
)
from policy.bcp.overlay import ActiveDeclaration, Deadline
from policy.model import Zone
from tests.support.bcp_notices import OFFICIALS, PLAN, START, declaration, lifted, notice, signature
from tests.support.policy import resource, subject


def waiting() -> Declaration:
    return declaration(
        state=DeclarationState.AWAITING_APPROVAL,
        starts_at=None,
        lapses_at=START + timedelta(minutes=30),
        signatures=(signature("soumu", Role.PROPOSED),),
    )


def signed(role: Role, **over: object) -> Declaration:
    base = declaration(**over)
    return replace(base, signatures=(*base.signatures, signature("kiki", role, START + timedelta(hours=1))))


def extending() -> Declaration:
    proposed = signature("soumu", Role.EXTENSION_PROPOSED, START + timedelta(hours=50))
    pending = PendingExtension(START + timedelta(hours=99), proposed, proposed.at + timedelta(minutes=30))
    return declaration(pending=pending)


ALL = {
    NoticeKind.APPROVAL_WANTED: waiting(),
    NoticeKind.EXTENSION_WANTED: extending(),
    NoticeKind.TURNED_DOWN: replace(waiting(), state=DeclarationState.LAPSED, ended_at=START),
    NoticeKind.BEGUN: declaration(),
    NoticeKind.EXTENDED: signed(Role.EXTENSION_APPROVED),
    NoticeKind.RATIFIED: signed(Role.RATIFIED, break_glass=True),
    NoticeKind.NARROWED: signed(Role.NARROWED),
    NoticeKind.RECOVERY: signed(Role.RECOVERED, level=Level.RECOVERY),
    NoticeKind.ENDED: lifted(START + timedelta(hours=5), "道路の復旧を確認"),
}


def content(found: Declaration) -> Content:
    return notice(found).content


def said(found: Content) -> str:
    return plain(words(found, tenant_ja="架橋市", tenant_en="Kakehashi City", url="https://vdi.example.jp"))


def test_every_kind_comes_from_a_state_of_a_declaration() -> None:
    assert {notice(found).kind for found in ALL.values()} | {NoticeKind.REMINDER} == set(NoticeKind)
    assert {kind: notice(found).kind for kind, found in ALL.items()} == {kind: kind for kind in ALL}
    assert set(AUDIENCE) == set(NoticeKind)


@pytest.mark.parametrize("kind", ALL)
def test_a_notice_says_who_when_for_whom_what_is_allowed_what_not_and_whom_to_ask(kind: NoticeKind) -> None:
    text = said(content(ALL[kind]))
    for must in (
        "宣言した人", "期間", "対象", "全庁", "できること", "住民記録端末への接続と、データの持ち出し", "内線 2201",
        "Declared by", "Period", "the whole municipality", "What stays forbidden", "ext. 2201", "架橋市",
        "令和8年4月4日（2026年）9時00分", "4 Apr 2026 (Sat) 9:00 JST",
    ):  # fmt: skip
        assert must in text, (must, text)
    assert "訓練" not in text
    assert "DRILL" not in text


@pytest.mark.parametrize("kind", ALL)
def test_a_drill_is_marked_at_the_top_and_the_end_of_both_languages(kind: NoticeKind) -> None:
    found = words(
        content(replace(ALL[kind], drill=True)), tenant_ja="架橋市", tenant_en="Kakehashi City", url="https://x"
    )
    assert found.subject_ja.startswith("【訓練】")
    assert found.subject_en.startswith("[DRILL] ")
    assert found.lead_ja.startswith("これは訓練です")
    assert found.lead_en.startswith("This is a drill")
    lines = [line for line in plain(found).splitlines() if line]
    middle = lines.index("-" * 40)
    assert lines[middle - 1].startswith("【訓練】")
    assert lines[-1].startswith("[DRILL]")


def test_what_is_allowed_is_said_only_while_it_is() -> None:
    assert "自宅や避難先から庁内業務デスクトップを使えます" in said(content(declaration()))
    assert "承認されたあと：登庁できない職員は、自宅や避難先から" in said(content(waiting()))
    for over in (ALL[NoticeKind.ENDED], ALL[NoticeKind.RECOVERY], declaration(level=Level.ALERT)):
        assert "自宅や避難先から庁内業務デスクトップを使えます" not in said(content(over))


def test_the_grace_is_named_where_people_lose_something() -> None:
    for kind in (NoticeKind.ENDED, NoticeKind.NARROWED, NoticeKind.RECOVERY):
        assert "30分以内に作業を保存" in said(content(ALL[kind]))
    gave_way = replace(ALL[NoticeKind.ENDED], signatures=declaration().signatures, end_note="bcp_2")
    text = said(content(gave_way))
    assert "別の宣言に替わったため" in text
    assert "bcp_2" not in text
    assert "期限になったため" in said(content(replace(gave_way, state=DeclarationState.EXPIRED)))


def test_a_break_glass_is_loud_and_says_when_it_dies() -> None:
    alone = declaration(
        break_glass=True,
        ends_at=START + timedelta(hours=4),
        planned_end=START + timedelta(hours=72),
        signatures=(signature("kiki", Role.DECLARED, listed_rank=2),),
    )
    text = said(content(alone))
    assert text.startswith("緊急：一人による発動（第1次）")
    assert "令和8年4月1日（2026年）13時00分までに別の人が追認しないと、自動的に終わります" in text
    assert notice(alone).audience == "everybody"


def test_reminders_count_down_and_each_has_its_own_id() -> None:
    ids = set()
    for hours, shown in ((24, "あと1日"), (4, "あと4時間"), (1, "あと1時間")):
        found = due.reminder(declaration(), timedelta(hours=hours), START)
        made = due.notice(declaration(), found, PLAN, OFFICIALS, {})
        assert shown in said(made.content)
        ids.add(made.id)
    assert len(ids) == 3


def test_the_same_step_has_the_same_id_on_every_node_and_another_step_another() -> None:
    assert notice(declaration()).id == notice(replace(declaration(), seen_at=START + timedelta(hours=1))).id
    assert len({notice(found).id for found in ALL.values()}) == len(ALL)
    assert due.newest(declaration(state=DeclarationState.DRAFT, signatures=())) is None
    discarded = replace(waiting(), state=DeclarationState.REJECTED, signatures=())
    assert due.newest(discarded) is None


@pytest.mark.parametrize("kind", ALL)
def test_a_stored_notice_says_the_same_again(kind: NoticeKind) -> None:
    found = content(ALL[kind])
    assert decode(encode(found)) == found
    with pytest.raises(ValueError, match="not a notice"):
        decode({"kind": "x"})


def test_scopes_are_named_and_unknown_ids_stand_for_themselves() -> None:
    scope = Scope(ScopeKind.DUTY, frozenset({"shelter", "water"}))
    assert due.scope_words(scope, {"shelter": ("避難所運営", "Shelters")}) == (
        "業務：避難所運営、water",
        "duties: Shelters, water",
    )


def test_waiting_grows_and_has_an_end() -> None:
    waits = [retry_after(attempts).total_seconds() for attempts in range(1, 60)]
    assert waits[:4] == [30, 60, 120, 240]
    assert max(waits) == 900


def active(**over: object) -> ActiveDeclaration:
    found = declaration(**over)
    return ActiveDeclaration(found, PLAN, Deadline(found.ends_at, START, 0.0), None, None)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("drill", [True, False])
def test_the_login_page_tells_that_and_nothing_else(level: Level, drill: bool) -> None:
    banner = login_banner([active(level=level, drill=drill)])
    assert banner is not None
    assert ("【訓練】" in banner.text_ja, "[DRILL]" in banner.text_en) == (drill, drill)
    for secret in ("地震", "震度", "危機", "避難所", "4月4日", "Earthquake"):
        assert secret not in banner.text_ja + banner.text_en
    assert banner.until is None
    assert login_banner([]) is None


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("drill", [True, False])
def test_people_see_what_concerns_them_and_whether_it_is_a_drill(level: Level, drill: bool) -> None:
    duty = active(level=level, drill=drill, scope=Scope(ScopeKind.DUTY, frozenset({"shelter"})))
    concerned, other = subject(duties=frozenset({"shelter"})), subject()
    (banner,) = session_banners([duty], concerned, [resource()])
    marked = banner.drill, banner.text_ja.startswith("【訓練】"), banner.text_en.startswith("[DRILL] ")
    assert marked == (drill, drill, drill)
    assert banner.until == START + timedelta(hours=72)
    assert "内線 2201" in banner.text_ja
    assert session_banners([duty], other, [resource()]) == ()
    blocked = active(level=level, blocked=frozenset({concerned.user_id}))
    assert session_banners([blocked], concerned, [resource()]) == ()


def test_who_loses_the_basis_reads_until_when() -> None:
    pool = Pool(
        TenantId("city"), PoolId("office"), "庁内端末", "Office", PoolKind.AGENT, "office", Zone.LGWAN, None, 10
    )
    banner = losing_basis(active(drill=True), pool, START + timedelta(minutes=30))
    assert "「庁内端末」の接続は令和8年4月1日（2026年）9時30分に切れます" in banner.text_ja
    assert "内線 2201" in banner.text_ja
    assert banner.text_en.startswith("[DRILL]")
