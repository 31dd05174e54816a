"""The BCP plans of the sample city: the text of a plan file, with the duties, departments and sites of its register.

Counterparts: `policy.bcp.proof`, which reads it like that of any city; `gateway/demo/synthetic.py`, which asks for it.
The lines widen what the demo's policy (`deploy/policy.demo.yaml`) refuses. Seats are for a fifth of all staff at the
first level and two fifths at the second, as prefectures reckon in their continuity plans. Pure.
"""

from collections.abc import Iterable, Mapping
from string import Template
from typing import Final

from broker.duties.models import Priority, Register, Telework
from policy.model import Zone

_PLANS: Final = Template("""\
# 見本のまちのBCP計画 / BCP plans of the sample city
#
# 発動すると、ふだんは断られる人が使えるようになり、解除や期限切れで元に戻ることを試せます。
# Declare one, and people who are refused in normal time are let in; lift it, and everything is as before.
# 実際の計画は bcp-plans.sample.yaml から始めてください。 For real plans begin with bcp-plans.sample.yaml.

format: 1
plans:
  - id: quake
    version: 1
    name: {ja: 大規模地震, en: Major earthquake}
    grace: 30m
    contact:
      ja: 災害対策本部 総務班（内線 2201）
      en: Emergency headquarters, general affairs (ext. 2201)
    texts:
      allowed:
        ja: 登庁できない職員は、自宅や避難先から庁内業務デスクトップを使えます。
        en: Staff who cannot come in may use the office desktop from home or from where they took shelter.
      forbidden:
        ja: 住民記録端末への接続と、データの持ち出しは、今も禁止です。
        en: The resident records and taking data out stay forbidden.

    first:
      - id: W1
        name: {ja: 災害対策本部の要員は、どこからでも利用できる, en: Headquarters staff from anywhere}
        who: {groups: [bcp-hq]}
        approval: {ja: 本計画による包括承認, en: Standing approval by this plan}
        places: {anywhere: true}
        targets: {pools: [$both]}
        terms: {total_limit: 12h, idle_limit: 30m}
      - id: W2
        name: {ja: 日勤の職員は、時間と曜日を問わず利用できる, en: Day shift at all hours}
        who: {groups: [day-shift]}
        approval: {ja: 本計画による包括承認（所属長へ通知）, en: Standing approval by this plan; the head is informed}
        places: {anywhere: true}
        targets: {pools: [$office]}
      - id: W3
        name: {ja: 応急対応の業務の担当者, en: Duties of the first response}
        who:
          duties: [$p0]
        approval: {ja: 本計画による包括承認（所属長へ通知）, en: Standing approval by this plan; the head is informed}
        places: {anywhere: true}
        targets: {pools: [$both]}

    second:
      - id: W4
        name: {ja: 人命にかかわる業務、条件付業務と応援職員, en: "Duties of life, duties on conditions, substitutes"}
        who:
          duties: [$p0_p1]
          conditional_duties: [$conditional]
          substitutes: true
        approval: {ja: 所属長の口頭承認（記録は後日）, en: Spoken approval of the head; the record follows}
        places: {anywhere: true}
        targets: {pools: [$both]}
      - id: W5
        name: {ja: 会計年度任用職員など, en: Fixed-term staff}
        who: {employment: [fixed-term]}
        approval: {ja: 所属長の口頭承認（記録は後日）, en: Spoken approval of the head; the record follows}
        places: {anywhere: true}
        targets: {pools: [$both]}
      - id: W6
        name: {ja: 夜勤・休日勤務の職員は、日中も利用できる, en: Night shift by day too}
        who: {groups: [night-shift]}
        approval: {ja: 所属長の口頭承認（記録は後日）, en: Spoken approval of the head; the record follows}
        places: {anywhere: true}
        hours: {windows: ["07:00-21:00"]}
        targets: {pools: [$both]}

    capacity:
      - {pool: $office, level: first, seats: $seats_first}
      - {pool: $office, level: second, seats: $seats_second}

    drill:
      pools: [$office]
      first: [W2]
      second: [W4]

  - id: infection
    version: 1
    name: {ja: 感染症のまん延, en: Spread of an infectious disease}
    contact: {ja: 総務課 人事係（内線 1105）, en: "General affairs, personnel (ext. 1105)"}
    texts:
      allowed:
        ja: 出勤を控える職員は、自宅から庁内業務デスクトップを使えます。
        en: Staff who stay at home may use the office desktop from there.
      forbidden:
        ja: 住民記録端末への接続と、データの持ち出しは、今も禁止です。
        en: The resident records and taking data out stay forbidden.

    first:
      - id: W1
        name:
          ja: 翌日までに再開する業務の課は、本庁舎のデスクトップを
          en: Departments with duties due within a day, on desktops at the city hall
        who:
          departments: [$departments]
        approval: {ja: 本計画による包括承認（所属長へ通知）, en: Standing approval by this plan; the head is informed}
        places: {anywhere: true}
        hours: {windows: ["07:00-22:00"], days: workdays}
        targets: {pools: [$office], sites: [$main_site]}

    second:
      - id: W2
        name: {ja: 全職員が、インターネット用も, en: "All staff, the Internet desktop too"}
        who: {groups: [telework, day-shift]}
        approval: {ja: 本計画による包括承認（所属長へ通知）, en: Standing approval by this plan; the head is informed}
        places: {anywhere: true}
        hours: {windows: ["07:00-22:00"], days: workdays}
        targets: {pools: [$both]}

    drill:
      pools: [$office]
      first: [W1]
""")


def plans_of(register: Register, pools: Mapping[Zone, str]) -> str:
    """The file's text, for pools in the zones that telework may reach."""
    kept_up = {duty.department for duty in register.duties.values() if duty.priority is Priority.P2}
    return _PLANS.substitute(
        office=pools[Zone.LGWAN],
        both=_list(dict.fromkeys(pools.values())),
        p0=_duties(register, Telework.ALLOWED, Priority.P0),
        p0_p1=_duties(register, Telework.ALLOWED, Priority.P0, Priority.P1),
        conditional=_duties(register, Telework.CONDITIONAL, Priority.P0, Priority.P1, Priority.P2),
        departments=_list(unit.name_ja for unit in register.departments.values() if unit.id in kept_up),
        main_site=max(register.sites.values(), key=lambda site: site.seats).id,
        seats_first=len(register.staff) * 20 // 100,
        seats_second=len(register.staff) * 40 // 100,
    )


def _duties(register: Register, telework: Telework, *priorities: Priority) -> str:
    found = register.duties.values()
    return _list(duty.id for duty in found if duty.telework is telework and duty.priority in priorities)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
