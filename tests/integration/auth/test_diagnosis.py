"""What the doctor says of each directory server, on real ones."""

from pathlib import Path

import trustme

from auth.diagnosis import diagnose
from common.secret import Secret
from tests.integration.auth.conftest import ldap_settings
from tests.support.slapd import BASE_DN, Slapd, run_slapd


async def test_each_server_is_examined_by_itself(tmp_path: Path) -> None:
    ca = trustme.CA()
    with (
        run_slapd(tmp_path / "good", ca=ca) as good,
        run_slapd(tmp_path / "misnamed", ca=ca, names=("elsewhere.example",)) as misnamed,
        run_slapd(tmp_path / "hung", ca=ca) as hung,
        run_slapd(tmp_path / "gone", ca=ca) as gone,
    ):
        gone.stop()
        hung.hang()
        found = await diagnose(ldap_settings(good, misnamed, hung, gone, server_timeout_seconds=1))
    assert [finding.ok for finding in found] == [True, False, False, False]
    assert found[0].server == f"127.0.0.1:{good.ldaps_port}"
    assert "people can be read" in found[0].text
    assert "ca_file" in found[1].remedy
    assert "firewall" in found[2].remedy
    assert "firewall" in found[3].remedy


async def test_a_refused_service_account_and_an_empty_base_are_named(staff: Slapd) -> None:
    refused = (await diagnose(ldap_settings(staff, bind_password=Secret("old"))))[0]
    assert (refused.ok, refused.remedy) == (False, "check bind_dn and bind_password")
    for base in (f"ou=nobody,{BASE_DN}", f"ou=services,{BASE_DN}"):
        empty = (await diagnose(ldap_settings(staff, base_dn=base)))[0]
        assert not empty.ok
        assert "finds nobody" in empty.text
