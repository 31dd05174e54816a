"""The rules in force, edited in place as an administrator edits them: the gateway notices by itself."""

from tests.support.city import City


class PolicyFile:
    """The running city's policy. `restore` puts it back as it was."""

    def __init__(self, city: City) -> None:
        self._path = city.folder / "gateway" / "policy.yaml"
        self._before = self._path.read_text("utf-8")

    def replace(self, old: str, new: str) -> None:
        """Change a place that is there once."""
        assert self._before.count(old) == 1
        self._path.write_text(self._before.replace(old, new), "utf-8")

    def add(self, rule: str) -> None:
        """Add a rule: one line of YAML, without its id and name."""
        named = f"\n  - {{id: T-01, name: {{ja: 試験用の規則, en: Rule of a test}}, {rule}}}\n"
        self._path.write_text(self._before + named, "utf-8")

    def restore(self) -> None:
        """Put the file back."""
        if self._path.read_text("utf-8") != self._before:
            self._path.write_text(self._before, "utf-8")
