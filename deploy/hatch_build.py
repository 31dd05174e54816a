"""Build hook: puts the built web client and the desktops' start files into the wheel.

An editable install needs no bundle (the gateway then serves ``web_client/dist`` of the checkout); a wheel without one
would be a gateway without pages, so building it stops instead.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebBundleHook(BuildHookInterface):
    """Maps ``web_client/dist`` to ``gateway/web`` inside a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files; ``version`` is ``standard`` or ``editable``."""
        if version == "editable":
            return
        bundle = Path(self.root) / "web_client" / "dist"
        if not (bundle / "index.html").is_file():
            raise RuntimeError("web_client/dist has no bundle: run deploy/setup.sh web first")
        build_data["force_include"][str(bundle)] = "gateway/web"
        # Start files of the desktops, where agents.settings looks for them, the sample files and the demo's policy.
        for name in ("desktop", "bcp-plans.sample.yaml", "policy.sample.yaml", "policy.demo.yaml"):
            build_data["force_include"][str(Path(self.root) / "deploy" / name)] = f"deploy/{name}"
