"""Settings of printed documents: `[reports]`. Counterpart: `gateway.reports.service`."""

from pathlib import Path

from pydantic import Field

from common.settings import Section


class ReportSettings(Section):
    """`[reports]` in the settings file."""

    font_file: Path | None = Field(
        None, description="Japanese font for PDF files; none: that of the package fonts-noto-cjk."
    )
    bold_font_file: Path | None = Field(None, description="Its bold face; none: the same file.")
    look_seconds: float = Field(
        60, ge=0.05, le=3600, description="How often ended declarations without a report are looked for."
    )
