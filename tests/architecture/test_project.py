"""The checkout as a whole: nothing of one machine in it, locks without addresses, readable modules, sound scripts."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
LONGEST_MODULE: Final = 500
LONGEST_TEST: Final = 800
SOURCES: Final = ("common", "policy", "auth", "broker", "agents", "gateway", "bench")
SHIPPED: Final = frozenset(
    {
        "@digital-go-jp/design-tokens",
        "@novnc/novnc",
        "i18next",
        "react",
        "react-aria-components",
        "react-dom",
        "react-i18next",
    }
)
"""What the pages are made of, beside our own sources."""
LOCKS: Final = sorted(ROOT.glob("requirements*.lock"))
_BINARY_SUFFIXES: Final = frozenset({".png", ".jpg", ".woff2", ".ico", ".bin", ".rfb", ".gz", ".zst"})
# Folders that belong to one machine or one person, and hosts that only a lock written elsewhere could name.
_FOREIGN: Final = re.compile(
    r"(?<![\w.~-])/(?:work|root|farm|home/\w+|Users/\w+|tmp/kk)/|files\.pythonhosted\.org|registry\.npmjs\.org|"
    r"--(?:extra-)?index-url[ =]\w|--find-links[ =]"
)


def tracked_files() -> list[Path]:
    """Files under version control, or (in an unpacked release) all outside of what set-up creates."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False, timeout=30
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    made = {".venv", ".cache", ".demo", "node_modules", "dist", "__pycache__"}
    return [p for p in ROOT.rglob("*") if p.is_file() and not made & set(p.relative_to(ROOT).parts)]


def modules() -> list[Path]:
    """Python sources and tests."""
    return [path for path in tracked_files() if path.suffix == ".py"]


def test_no_machine_and_no_registry_is_named() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked_files()
        if path.suffix not in _BINARY_SUFFIXES and path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if _FOREIGN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE), "options do not belong into a lock"
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_frontend_eol_the_page_has_few_dependencies_at_exact_versions() -> None:
    """Whoever adds one thinks of who will mend it: the list here is the one that was thought about."""
    manifest = json.loads((ROOT / "web_client" / "package.json").read_text("utf-8"))
    lock = json.loads((ROOT / "web_client" / "package-lock.json").read_text("utf-8"))
    assert set(manifest["dependencies"]) == SHIPPED
    for name, version in manifest["dependencies"].items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_the_test_lock_agrees_with_the_run_time_lock() -> None:
    def versions(name: str) -> dict[str, set[str]]:
        pins: dict[str, set[str]] = {}
        for package, version in re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE):
            pins.setdefault(package, set()).add(version)
        return pins

    run_time, tests = versions("requirements.lock"), versions("requirements-dev.lock")
    assert {package: tests.get(package) for package in run_time} == run_time


def test_modules_stay_readable() -> None:
    limits = {**dict.fromkeys(SOURCES, LONGEST_MODULE), "tests": LONGEST_TEST}
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in modules()
        if (limit := limits.get(path.relative_to(ROOT).parts[0]))
        and (lines := len(path.read_text("utf-8").splitlines())) > limit
    }
    assert too_long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.relative_to(ROOT).parts[0] in SOURCES
        and (text := path.read_text("utf-8")).strip()
        and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_packages_import_only_what_they_may() -> None:
    """The contracts of pyproject.toml, here too: CI runs the tests."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(?:TODO|FIXME|HACK)\b|raise NotImplementedError")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        if path.suffix in {".py", ".ts", ".tsx", ".sh"} and path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def shell_scripts() -> list[Path]:
    """Files that a shell runs, by name or by first line."""
    return [
        path
        for path in tracked_files()
        if path.suffix == ".sh" or (path.suffix == "" and re.match(rb"#!.*\b(?:ba|da)?sh\b", path.read_bytes()[:64]))
    ]


def test_shell_scripts_parse_and_stop_at_errors() -> None:
    scripts = shell_scripts()
    assert ROOT / "deploy" / "setup.sh" in scripts
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True, timeout=10)
    for script in (ROOT / "deploy" / "setup.sh", ROOT / "deploy" / "web.sh", ROOT / ".ci" / "run"):
        assert "set -euo pipefail" in script.read_text()
        assert script.stat().st_mode & 0o111


def test_package_lists_are_sorted_and_disjoint() -> None:
    lists = [(ROOT / "deploy" / f"packages-{kind}.txt").read_text().split() for kind in ("demo", "test")]
    for names in lists:
        assert names == sorted(set(names))
    assert not set(lists[0]) & set(lists[1])


def test_ci_runs_what_a_person_runs() -> None:
    assert re.search(r"make .*\btest$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in tracked_files()
        if page.suffix == ".md"
        for target in link.findall(page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_is_found_from_an_overview() -> None:
    overviews = [ROOT / "docs" / "README.md", ROOT / "docs" / "reference" / "README.md"]
    linked = {
        (overview.parent / target).resolve()
        for overview in overviews
        for target in re.findall(r"\]\(([^)#\s]+)", overview.read_text("utf-8"))
        if "://" not in target
    }
    pages = {path for path in tracked_files() if path.suffix == ".md" and "docs" in path.relative_to(ROOT).parts[:1]}
    assert {str(page.relative_to(ROOT)) for page in pages - linked - set(overviews)} == set()


def test_every_test_that_a_document_names_is_there() -> None:
    named = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
    missing = [
        f"{page.relative_to(ROOT)}: {path}{f'::{function}' if function else ''}"
        for page in tracked_files()
        if page.suffix == ".md"
        for path, function in named.findall(page.read_text("utf-8"))
        if not (ROOT / path).is_file() or (function and f"def {function}(" not in (ROOT / path).read_text("utf-8"))
    ]
    assert missing == []
