"""The agent under the shipped systemd unit's restrictions: they must suffice, or every host fails at once."""

from __future__ import annotations

import configparser
from pathlib import Path

from tests.integration.agents.raw_rfb import RawViewer
from tests.support.agent import running_agent

_UNIT = Path(__file__).resolve().parents[3] / "deploy" / "systemd" / "kakehashi-agent.service"


def test_units_capabilities_and_umask_suffice(tmp_path: Path, locale_state: Path) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.read(_UNIT)
    kept = [name.removeprefix("CAP_").lower() for name in unit["Service"]["CapabilityBoundingSet"].split()]
    bounds = ",".join(["-all", *(f"+{name}" for name in kept)])
    restrict = ("setpriv", "--bounding-set", bounds, "--no-new-privs", "--")
    prefix = (*restrict, "sh", "-c", f'umask {unit["Service"]["UMask"]}; exec "$@"', "unit")
    with running_agent(tmp_path / "host", locale_from=locale_state, prefix=prefix) as agent:
        agent.ready("dsk_unit", "usr_unit")
        viewer = RawViewer(agent.stream("dsk_unit"))
        viewer.wait_for(lambda image: image.getpixel((640, 40)) == (0x3D, 0x6B, 0x83), 10)
        viewer.close()
        agent.stop("dsk_unit")
        assert agent.terminate() == 0
    assert unit["Service"]["Delegate"] == "yes"
