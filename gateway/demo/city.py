"""The people of the sample city: who they are, which groups they are in. Pure values, the same in every run.

Counterpart: `gateway.demo.directory`, which puts them into a real LDAP directory. The names are invented; some carry
characters that careless programs break (髙, 﨑, 𠮷).
"""

from dataclasses import dataclass
from typing import Final

from common.ids import TenantId

TENANT: Final = TenantId("sample-city")
NAME_JA: Final = "架橋市(見本)"
NAME_EN: Final = "Kakehashi City (sample)"
MAIL_DOMAIN: Final = "city.kakehashi.example"

TELEWORK: Final = "telework"
DAY_SHIFT: Final = "day-shift"
NIGHT_SHIFT: Final = "night-shift"
TRAINEE: Final = "trainee"
IT_STAFF: Final = "it-staff"
BCP_HQ: Final = "bcp-hq"
IDENTITY_CHECK: Final = "honin-kakunin"
AUDIT: Final = "audit"

GROUPS: Final = {
    TELEWORK: "テレワーク承認者",
    DAY_SHIFT: "日勤者",
    NIGHT_SHIFT: "夜間・休日の当番",
    TRAINEE: "条件付採用(研修中)",
    IT_STAFF: "情報政策課 システム担当",
    BCP_HQ: "災害対策本部 要員",
    IDENTITY_CHECK: "本人確認担当",
    AUDIT: "監査委員事務局 併任",
}


@dataclass(frozen=True, slots=True)
class Staff:
    """One person: `uid` is the ASCII login name, the other texts are as people write them."""

    number: str
    """職員番号, with its leading zero."""
    uid: str
    family: str
    given: str
    department: str
    title: str
    groups: tuple[str, ...]
    employment: str = "regular"
    must_change_password: bool = False
    retired: bool = False

    @property
    def display_name(self) -> str:
        """Family name first, as in the city hall."""
        return f"{self.family} {self.given}"

    @property
    def password(self) -> str:
        """Known to everybody: the demo prints it."""
        return f"kakehashi-{self.number}"


_OFFICE: Final = (TELEWORK, DAY_SHIFT)
_STAFF_ROWS: Final = (
    Staff("0101", "satou.hanako", "佐藤", "花子", "総務部総務課", "主任", _OFFICE),
    Staff("0102", "suzuki.ichirou", "鈴木", "一郎", "総務部総務課", "課長", (*_OFFICE, BCP_HQ)),
    Staff("0103", "takahashi.shou", "髙橋", "翔", "総務部総務課", "主事", _OFFICE),
    Staff("0104", "tanaka.misaki", "田中", "美咲", "総務部総務課", "係長", (*_OFFICE, IDENTITY_CHECK)),
    Staff("0105", "yoshida.kenta", "𠮷田", "健太", "企画政策部情報政策課", "主査", (*_OFFICE, IT_STAFF)),
    Staff("0106", "watanabe.yui", "渡邉", "結衣", "企画政策部情報政策課", "係長", (*_OFFICE, IT_STAFF, BCP_HQ)),
    Staff("0107", "itou.daisuke", "伊藤", "大輔", "企画政策部財政課", "主任", _OFFICE),
    Staff("0108", "yamamoto.sakura", "山本", "さくら", "企画政策部財政課", "主事", _OFFICE),
    Staff("0109", "nakamura.takumi", "中村", "拓海", "企画政策部財政課", "主査", (*_OFFICE, IDENTITY_CHECK)),
    Staff("0110", "kobayashi.aoi", "小林", "葵", "企画政策部財政課", "主事", (*_OFFICE, AUDIT)),
    Staff("0201", "katou.makoto", "加藤", "誠", "市民部市民課", "課長補佐", (DAY_SHIFT,)),
    Staff("0202", "miyazaki.rina", "宮﨑", "莉奈", "市民部市民課", "主事", (DAY_SHIFT,)),
    Staff("0203", "sasaki.yuuta", "佐々木", "悠太", "市民部税務課", "主任", _OFFICE),
    Staff("0204", "yamaguchi.mei", "山口", "芽依", "市民部税務課", "主事", (DAY_SHIFT, TRAINEE)),
    Staff("0205", "matsumoto.ryou", "松本", "亮", "市民部市民課", "係長", (*_OFFICE, IDENTITY_CHECK)),
    Staff("0301", "inoue.haruka", "井上", "遥", "福祉部福祉課", "主任", _OFFICE),
    Staff("0302", "kimura.naoki", "木村", "直樹", "福祉部福祉課", "主事", _OFFICE),
    Staff("0303", "hayashi.akane", "林", "茜", "福祉部子育て支援課", "主査", _OFFICE),
    Staff("0304", "shimizu.kaito", "清水", "海斗", "福祉部子育て支援課", "主事", (DAY_SHIFT,), "fixed-term"),
    Staff("0305", "saitou.megumi", "齋藤", "恵", "福祉部健康推進課", "保健師", _OFFICE),
    Staff("0401", "yamazaki.jun", "山﨑", "淳", "建設部土木課", "係長", (*_OFFICE, BCP_HQ)),
    Staff("0402", "mori.ayumi", "森", "あゆみ", "建設部土木課", "主任", _OFFICE),
    Staff("0403", "abe.kouji", "阿部", "浩二", "建設部土木課", "主査", (NIGHT_SHIFT,)),
    Staff("0501", "ikeda.nobuo", "池田", "信夫", "危機管理監室", "危機管理監", (*_OFFICE, BCP_HQ)),
    Staff("0502", "hashimoto.rei", "橋本", "玲", "危機管理監室", "主任", (TELEWORK, BCP_HQ)),
    Staff("0503", "ishikawa.tsubasa", "石川", "翼", "消防本部警防課", "消防司令補", (BCP_HQ,)),
    Staff("0601", "maeda.chihiro", "前田", "千尋", "教育委員会学校教育課", "主事", _OFFICE, must_change_password=True),
    Staff("0602", "fujita.sora", "藤田", "空", "教育委員会学校教育課", "主事", (TRAINEE,)),
    Staff("0603", "gotou.emi", "後藤", "恵美", "教育委員会学校教育課", "司書", (TELEWORK,), "fixed-term"),
    Staff("0701", "okada.shigeru", "岡田", "茂", "総務部総務課", "主任", _OFFICE, retired=True),
)


def staff() -> tuple[Staff, ...]:
    """All thirty people, in the order of their numbers."""
    return _STAFF_ROWS


def members(group: str) -> tuple[Staff, ...]:
    """The people of one group."""
    return tuple(person for person in _STAFF_ROWS if group in person.groups)
