"""Ports of the demo."""

from gateway.demo.run import Options, _addresses
from tests.support.ports import free_port


def test_demos_that_start_together_look_for_different_directory_ports() -> None:
    one, other = free_port(), free_port()
    while abs(one - other) % 10_000 < 100:
        other = free_port()
    found = [_addresses(Options(port=port)) for port in (one, other)]
    assert found[0].directory_port != found[1].directory_port
    assert _addresses(Options(port=65_535)).directory_port < 65_536
