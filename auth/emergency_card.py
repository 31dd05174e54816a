"""The emergency card: one page to print and keep, with the gateway's address, new recovery codes and what to do.

Counterpart: `auth/step_up.py` issues it, `common/paper.py` draws it. The card does not carry the user name: whoever
finds it lacks that, and the password. The codes stand here and nowhere else.
"""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import segno

from common.clock import TOKYO
from common.era import date_ja
from common.lines import wrap
from common.paper import MARGIN, WIDTH, Fonts, Paper

_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LONGEST_NAME: Final = 30
_QR_MM: Final = 42.0
_QR_QUIET: Final = 4
_BESIDE_MM: Final = WIDTH - _QR_MM - 6
_CODE_PT: Final = 15
_CODE_MM: Final = 8.0
_BOX_MM: Final = 4.5
_STEP_PT: Final = 10.5
_STEP_MM: Final = 6.0
"""Height of a line beside the QR code."""
_STEP_INDENT_MM: Final = 6.0
_LEAD: Final = "認証アプリを使えないときに、このカードでログインします。スマートフォンとは別の場所に保管してください。"

_STEPS: Final = (
    "QRコードを読み取るか、上のアドレスを開きます。",
    "ユーザー名とパスワードを入力します。",
    (
        "認証アプリの確認コード（6桁）を入力します。アプリが使えないときは「リカバリーコードを使う」を選び、"
        "下のコードを1つ入力します。"
    ),
)
_ENROL_ANEW: Final = (
    "画面の案内に従って認証アプリを登録し直します。登録すると、残りのコードとこのカードは使えなくなります。"
)
_NOTES: Final = (
    "・リカバリーコードがない：担当者2名の本人確認で、一時的な認証アプリを登録できます。下の連絡先へ。",
    "・「認証の基盤に接続できない」と出る：認証アプリの確認コードだけが使えます。",
    "・カードを失くした：すぐに連絡してください。カードを無効にします。",
    "・パスワードを書き込まないでください。職員がコードを尋ねることはありません。",
)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What stands on a card."""

    number: str
    issued_at: datetime
    tenant_name: str
    holder: str
    department: str | None
    url: str
    codes: tuple[str, ...] = field(repr=False)
    contact_ja: str = ""
    contact_en: str = ""
    enrols_anew: bool = True
    """A recovery code leads to a new authenticator, which makes the other codes void."""


class CardPrinter:
    """Draws one card at a time in a thread of its own: it takes seconds of processor time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "card")

    async def pdf(self, fonts: Fonts, facts: CardFacts) -> bytes:
        """The card as a PDF file of one A4 page."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, draw_card, fonts, facts)

    def close(self) -> None:
        """Drop what waits."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def new_card_number() -> str:
    """Names a card in the audit and on the telephone, `XXXX-XXXX`; not secret."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


def draw_card(fonts: Fonts, facts: CardFacts) -> bytes:
    """One A4 page, whatever the names (test)."""
    paper = Paper(
        fonts,
        title=f"緊急カード {facts.number}",
        issuer=f"{facts.tenant_name} テレワーク",
        made_at=facts.issued_at,
        foot=f"カード番号 {facts.number}",
    )
    paper.title("緊急カード　Emergency card")
    paper.text(_LEAD, size=9.5)
    paper.facts(
        [
            ("氏名", _short(facts.holder)),
            ("所属", _short(facts.department or "―")),
            ("番号・発行日", f"{facts.number}　{date_ja(facts.issued_at.astimezone(TOKYO).date())}"),
            ("アドレス", facts.url),
        ],
        size=11,
    )
    _how_to(paper, facts)
    paper.heading("リカバリーコード（1つのコードは1回だけ。使ったら印を付ける）")
    _codes(paper, facts.codes)
    paper.heading("困ったとき")
    for note in _NOTES:
        paper.text(note, size=9.5)
    paper.facts([("連絡先", facts.contact_ja or "所属の情報システム担当")], size=11)
    contact = facts.contact_en or facts.contact_ja or "your IT desk"
    paper.text(
        "Open the address, sign in with user name and password, and type one recovery code if your authenticator is "
        f"lost; each works once. Lost this card? Contact {contact}.",
        size=9,
    )
    return paper.pdf()


def _how_to(paper: Paper, facts: CardFacts) -> None:
    """The steps, with the QR code at their left."""
    paper.heading("ログインのしかた")
    top = paper.pages.y
    pattern = segno.make(facts.url, error="m", micro=False).matrix_iter(border=_QR_QUIET)
    paper.squares([[bool(dark) for dark in row] for row in pattern], x=MARGIN, y=top, size=_QR_MM)
    paper.pages.set_font(style="", size=_STEP_PT)
    steps = (*_STEPS, *([_ENROL_ANEW] if facts.enrols_anew else []))
    left, y, width = MARGIN + WIDTH - _BESIDE_MM, top + 2, _BESIDE_MM - _STEP_INDENT_MM
    for number, step in enumerate(steps, 1):
        paper.pages.set_xy(left, y)
        paper.pages.cell(_STEP_INDENT_MM, _STEP_MM, f"{number}.")
        for line in wrap(step, width, paper.pages.get_string_width):
            paper.pages.set_xy(left + _STEP_INDENT_MM, y)
            paper.pages.cell(width, _STEP_MM, line)
            y += _STEP_MM
    paper.pages.set_xy(MARGIN, max(top + _QR_MM, y))


def _codes(paper: Paper, codes: tuple[str, ...]) -> None:
    """Two columns, each code with a box to tick."""
    pages, top = paper.pages, paper.pages.y + 1
    half = (len(codes) + 1) // 2
    pages.set_font(style="B", size=_CODE_PT)
    pages.set_draw_color(0, 0, 0)
    for number, code in enumerate(codes):
        x = MARGIN + 2 + (number // half) * WIDTH / 2
        y = top + (number % half) * _CODE_MM
        pages.rect(x, y + (_CODE_MM - _BOX_MM) / 2, _BOX_MM, _BOX_MM)
        pages.set_xy(x + _BOX_MM + 4, y)
        pages.cell(WIDTH / 2 - _BOX_MM - 8, _CODE_MM, code)
    pages.set_xy(MARGIN, top + half * _CODE_MM)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
