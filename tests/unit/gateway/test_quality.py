"""The relay's best JPEG level of each profile is what the page asks for: one more would be taken away silently."""

import re
from pathlib import Path

from gateway.viewers import _JPEG_LEVELS

_PRESETS = Path(__file__).parents[3] / "web_client" / "src" / "viewer" / "quality.ts"


def test_page_and_relay_mean_the_same_quality() -> None:
    found = re.findall(r"(\w+): \{ quality: (\d), compression: \d \}", _PRESETS.read_text("utf-8"))
    assert {name: int(level) for name, level in found} == {str(name): level for name, level in _JPEG_LEVELS.items()}
