"""The sample city: six sites, twelve departments, forty duties. Pure tables, in the form of the register.

Counterpart: `gateway/demo/synthetic.py` puts people on the rosters. The priorities follow what cities publish in their
continuity plans: first response, then shelters and life, then payments, then what can wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from broker.duties.models import USUAL_RESUME, Duty, Priority, ResumeWithin, Site, Telework
from policy.model import Zone

SITES: Final = (
    Site("hq", "本庁舎", "City hall", ("10.10.0.0/16", "2001:db8:10::/48"), 1_400, 1_000),
    Site("annex", "第二庁舎", "Second building", ("10.20.0.0/16",), 600, 200),
    Site("east", "東支所", "East branch", ("10.31.0.0/20",), 90, 100),
    Site("south", "南支所", "South branch", ("10.32.0.0/20",), 60, 10),
    Site("health", "保健センター", "Health centre", ("10.40.0.0/20",), 140, 100),
    Site("fire", "消防本部", "Fire headquarters", ("10.50.0.0/20",), 260, 100),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A department: its share of all staff, and the sites where they sit, the first one mostly."""

    code: str
    name_ja: str
    name_en: str
    share: int
    sites: tuple[str, ...]


DEPARTMENTS: Final = (
    Unit("1010", "総務部総務課", "General Affairs", 9, ("hq",)),
    Unit("1110", "企画政策部情報政策課", "Information Policy", 3, ("hq", "annex")),
    Unit("1120", "企画政策部財政課", "Finance", 5, ("hq",)),
    Unit("1210", "市民部市民課", "Citizens' Affairs", 13, ("hq", "east", "south")),
    Unit("1220", "市民部税務課", "Tax", 10, ("hq", "annex")),
    Unit("1310", "福祉部福祉課", "Welfare", 12, ("annex", "east")),
    Unit("1320", "福祉部子育て支援課", "Child Care", 11, ("annex", "south")),
    Unit("1330", "福祉部健康推進課", "Public Health", 7, ("health",)),
    Unit("1410", "建設部土木課", "Public Works", 10, ("annex", "hq")),
    Unit("1510", "危機管理監室", "Crisis Management", 2, ("hq",)),
    Unit("1610", "消防本部警防課", "Fire Defence", 9, ("fire",)),
    Unit("1710", "教育委員会学校教育課", "School Education", 9, ("annex", "east")),
)

_A, _C, _N = Telework.ALLOWED, Telework.CONDITIONAL, Telework.NEVER
_L, _I, _M = Zone.LGWAN, Zone.INTERNET, Zone.MY_NUMBER
_MONTH: Final = ResumeWithin.MONTH_1
_OWN_ROOM: Final = "個室など、ほかの人に画面を見られない場所で行うこと。\n紙の書類は持ち出さないこと。"
_APPROVED: Final = "所属長がその日ごとに承認した場合に限る。"

_ROWS: Final = (
    ("disaster-hq", "災害対策本部の運営", "Emergency headquarters", "1510", _L, _A, "P0", ""),
    ("alert-messages", "避難情報の発令・伝達", "Evacuation orders", "1510", _I, _A, "P0", ""),
    ("damage-reports", "被害情報の収集・報告", "Damage reports", "1510", _L, _A, "P0", ""),
    ("fire-dispatch", "消防・救急の出動管理", "Fire and ambulance dispatch", "1610", _L, _N, "P0", ""),
    ("network-operation", "庁内ネットワークの運用", "Network operation", "1110", _L, _A, "P0", ""),
    ("press-office", "報道対応・広報", "Press and public information", "1010", _I, _A, "P1", ""),
    ("shelter-operation", "避難所の開設・運営", "Shelters", "1310", _L, _A, "P1", ""),
    ("vulnerable-people", "避難行動要支援者の支援", "People who need help", "1310", _L, _C, "P1", _OWN_ROOM),
    ("emergency-supplies", "救援物資の調達・配分", "Emergency supplies", "1010", _L, _A, "P1", ""),
    ("emergency-medical", "医療救護・感染症対応", "Medical relief and infections", "1330", _L, _C, "P1", _OWN_ROOM),
    ("road-closure", "道路の応急復旧・通行規制", "Road closures", "1410", _L, _A, "P1", ""),
    ("water-supply", "応急給水・下水道の応急復旧", "Water supply and sewers", "1410", _L, _A, "P1", ""),
    ("staff-muster", "職員の安否確認・参集", "Muster of staff", "1010", _I, _A, "P1", ""),
    ("helpdesk", "職員の情報システム支援", "IT help desk", "1110", _L, _A, "P1", ""),
    ("residence-record", "住民異動届", "Change of residence", "1210", _M, _N, "P2", ""),
    ("certificates", "証明書の交付", "Certificates", "1210", _M, _N, "P2", ""),
    ("death-report", "死亡届・火葬許可", "Deaths and cremations", "1210", _L, _N, "P2", ""),
    ("livelihood-support", "生活保護の支給", "Public assistance payments", "1310", _M, _N, "P2", ""),
    ("payments", "公金の支払い", "Payments", "1120", _L, _C, "P2", _APPROVED),
    ("payroll", "給与の支給", "Payroll", "1010", _L, _A, "P2", ""),
    ("nursery-operation", "保育所の運営調整", "Nurseries", "1320", _L, _A, "P2", ""),
    ("child-abuse", "児童虐待の相談対応", "Child protection", "1320", _L, _C, "P2", _OWN_ROOM),
    ("school-safety", "児童生徒の安否確認・休校", "Pupils' safety, school closures", "1710", _I, _A, "P2", ""),
    ("waste-permits", "災害廃棄物の受入調整", "Disaster waste", "1410", _L, _A, "P2", ""),
    ("disaster-certificate", "罹災証明書の発行準備", "Disaster victim certificates", "1220", _L, _C, "P3", _OWN_ROOM),
    ("national-insurance", "国民健康保険の給付", "Health insurance benefits", "1210", _M, _N, "P3", ""),
    ("care-insurance", "介護保険の認定", "Care insurance assessments", "1310", _L, _C, "P3", _OWN_ROOM),
    ("health-visits", "乳幼児健診・訪問", "Infant health checks", "1330", _L, _C, "P3", _APPROVED),
    ("child-allowance", "児童手当の支給", "Child allowance", "1320", _M, _N, "P3", ""),
    ("council-affairs", "議会対応", "Council affairs", "1010", _L, _A, "P3", ""),
    ("contracts", "契約・入札", "Contracts and tenders", "1120", _L, _A, "P3", ""),
    ("building-inspection", "応急危険度判定の調整", "Building inspections", "1410", _L, _A, "P3", ""),
    ("fire-prevention", "火災予防の指導・検査", "Fire prevention", "1610", _L, _A, "P3", ""),
    ("tax-levy", "市税の賦課", "Tax assessment", "1220", _M, _N, "P4", ""),
    ("tax-collection", "市税の徴収・納税相談", "Tax collection", "1220", _L, _C, "P4", _OWN_ROOM),
    ("budget", "予算編成・決算", "Budget and accounts", "1120", _L, _A, "P4", ""),
    ("planning", "総合計画・統計", "Planning and statistics", "1110", _L, _A, "P4", ""),
    ("website", "市ホームページの更新", "City web site", "1110", _I, _A, "P4", ""),
    ("school-affairs", "就学・学籍の事務", "School enrolment", "1710", _L, _C, "P4", _APPROVED),
    ("archives", "文書管理・情報公開", "Records and disclosure", "1010", _L, _A, "P4", ""),
)  # fmt: skip


def duties(pools: Mapping[Zone, str]) -> tuple[Duty, ...]:
    """The forty duties without people; each that may be done by telework in the pool of its zone."""
    return tuple(
        Duty(
            id=duty_id,
            name_ja=name_ja,
            name_en=name_en,
            department=department,
            zone=zone,
            telework=telework,
            condition=condition,
            priority=Priority(priority),
            resume_within=_MONTH if duty_id in ("planning", "archives") else USUAL_RESUME[Priority(priority)],
            pools=() if telework is Telework.NEVER else (pools[zone],),
            desktops=(),
            people=(),
            substitutes=(),
        )
        for duty_id, name_ja, name_en, department, zone, telework, priority, condition in _ROWS
    )
