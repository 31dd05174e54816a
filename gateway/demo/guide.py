"""What the demo tells the person at the terminal: the address, the accounts, and what to try. Pure text, ja and en."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from gateway.demo import city

_SHOWN: Final = {
    "satou.hanako": ("テレワーク職員", "telework staff"),
    "yoshida.kenta": ("システム担当(管理者)", "IT section, administrator"),
    "katou.makoto": ("日勤: 開庁時間のみ", "day shift: office hours only"),
    "abe.kouji": ("夜間・休日の当番: 開庁時間外のみ", "nights and days off only"),
    "fujita.sora": ("研修生: 閲覧のみ", "trainee: look only"),
    "maeda.chihiro": ("最初にパスワード変更", "must change the password first"),
    "okada.shigeru": ("退職者: ログイン不可", "retired: cannot log in"),
}


def welcome(url: str, *, ca: str, accounts: str, desktops: bool) -> str:
    """Everything to read once all runs. `ca` and `accounts` are paths; `desktops` is False when none can be started."""
    return "\n".join(_welcome(url, ca, accounts, desktops=desktops)) + "\n"


def _welcome(url: str, ca: str, accounts: str, *, desktops: bool) -> Iterator[str]:
    yield "─" * 78
    yield f"  {url}"
    yield ""
    yield "  ブラウザーの警告は、この見本専用の認証局のためです。消すには次の証明書を取り込みます。"
    yield f"  The browser warns because of the demo's own CA; import it to get rid of that: {ca}"
    yield ""
    yield f"  {_pad('ユーザー名 / user', 20)}{_pad('パスワード / password', 24)}"
    for person in city.staff():
        if person.uid in _SHOWN:
            ja, en = _SHOWN[person.uid]
            yield f"  {_pad(person.uid, 20)}{_pad(person.password, 24)}{person.display_name} {ja} / {en}"
    yield f"  全{len(city.staff())}名 / all {len(city.staff())} people: {accounts}"
    yield ""
    yield from _steps_ja(desktops=desktops)
    yield ""
    yield from _steps_en(desktops=desktops)
    yield ""
    yield "  終了: Ctrl-C / Ctrl-C ends it all."
    yield "─" * 78


def _steps_ja(*, desktops: bool) -> Iterator[str]:
    yield "  お試しください"
    yield "   1. satou.hanako でログインし、認証アプリで QR コードを読み取ります(文字のキーでも登録できます)。"
    if not desktops:
        yield "   2. root ではないためデスクトップは起動できません。画面の確認のみです(sudo make demo で全部動きます)。"
        return
    yield "   2. 「庁内業務デスクトップ」を開き、端末や文書を使います。半角/全角で日本語を入力できます。"
    yield "   3. タブを閉じ、別のブラウザーからログインすると、同じデスクトップに戻ります。"
    yield "   4. 「住民記録端末」は、規則をどう変えても開けません(マイナンバー利用事務系)。"


def _steps_en(*, desktops: bool) -> Iterator[str]:
    yield "  What to try"
    yield "   1. Log in as satou.hanako; scan the QR code with an authenticator app (or type the key)."
    if not desktops:
        yield "   2. Without root no desktop can be started: look at the pages only (sudo make demo does it all)."
        return
    yield "   2. Open the office desktop; use the terminal and the editor; 半角/全角 switches Japanese input."
    yield "   3. Close the tab, log in from another browser: you are back on the same desktop."
    yield "   4. The resident records stay closed, whatever the rules say (My Number zone)."


def account_list() -> str:
    """All people with department, password and groups, a line each."""
    rows = [("ユーザー名", "パスワード", "氏名", "所属", "グループ")]
    rows += [(p.uid, p.password, p.display_name, p.department, " ".join(p.groups)) for p in city.staff()]
    widths = [max(columns(row[column]) for row in rows) + 2 for column in range(5)]
    lines = ("".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def columns(text: str) -> int:
    """Columns on a terminal: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _pad(text: str, width: int) -> str:
    return text + " " * max(1, width - columns(text))
