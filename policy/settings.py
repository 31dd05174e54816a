"""Settings of the policy: where the file is and how soon a change of it is noticed. Counterpart: `policy.service`."""

from pathlib import Path

from pydantic import Field

from common.settings import Section


class PolicySettings(Section):
    """`[policy]` in the configuration file."""

    path: Path = Field(description="The policy file (YAML). See docs/reference/policy.md.")
    poll_seconds: float = Field(
        default=2.0, ge=0.05, le=60, description="How often the file is looked at for changes, in seconds."
    )
