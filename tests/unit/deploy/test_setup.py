"""The set-up script's decisions, on a machine that is described to it by stand-ins for dpkg, apt and id.

What really installs is tried by every run of `make test`; here are the cases that a complete machine never shows.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
_COPIED: Final = ("setup.sh", "common.sh", "web.sh", "hatch_build.py", "packages-demo.txt", "packages-test.txt")
_TOOLS: Final = (
    *(
        "bash",
        "cat",
        "chmod",
        "chown",
        "cp",
        "cut",
        "dirname",
        "env",
        "find",
        "grep",
        "mkdir",
        "rm",
        "sed",
        "sha256sum",
    ),
    *("sort", "stat", "tail", "tee", "touch", "xargs"),
)
_NOBODY: Final = 65_534


class Machine:
    """A checkout's deploy folder and a PATH that holds only what the test puts there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.policy_rc = root / "policy-rc.d"
        self.bin.mkdir()
        (root / "deploy").mkdir()
        for name in _COPIED:
            shutil.copy(ROOT / "deploy" / name, root / "deploy" / name)
        for tool in _TOOLS:
            found = shutil.which(tool)
            assert found
            (self.bin / tool).symlink_to(found)

    def command(self, name: str, script: str) -> None:
        """Put a program into the PATH."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def call(self, code: str, account: int | None = None) -> subprocess.CompletedProcess[str]:
        """Source the script and run a line of shell, as this user number if one is given."""
        return subprocess.run(
            ["/bin/bash", "-c", f". {self.root}/deploy/setup.sh; policy_rc={self.policy_rc}; {code}"],
            env={"PATH": str(self.bin), "LC_ALL": "C.UTF-8"},
            user=account,
            group=account,
            extra_groups=None if account is None else (),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.command("dpkg-query", "echo 'ii  slapd'; echo 'rc  xauth'")
    made.command("id", "echo 0")
    made.command(
        "apt-get", f'echo "$@" >>{tmp_path}/apt.calls; [ ! -e {tmp_path}/fail ] || {{ echo broken; exit 100; }}'
    )
    return made


def apt_calls(machine: Machine) -> str:
    path = machine.root / "apt.calls"
    return path.read_text() if path.exists() else ""


def test_only_what_is_missing_is_installed_and_a_removed_package_counts_as_missing(machine: Machine) -> None:
    result = machine.call("install_packages demo")
    assert result.returncode == 0, result.stderr
    calls = apt_calls(machine).splitlines()
    assert len([line for line in calls if " update" in line]) == 1
    assert "--no-install-recommends" in calls[-1]
    assert " xauth" in calls[-1]
    assert " slapd" not in calls[-1]
    assert "postgresql-15" not in calls[-1]


def test_tests_need_more_than_the_demo(machine: Machine) -> None:
    assert machine.call("install_packages test").returncode == 0
    assert "postgresql-15" in apt_calls(machine)


def test_nothing_missing_means_no_call(machine: Machine) -> None:
    machine.command("dpkg-query", f"sed 's/^/ii  /' {machine.root}/deploy/packages-*.txt")
    result = machine.call("install_packages test")
    assert result.returncode == 0, result.stderr
    assert "all there" in result.stdout
    assert apt_calls(machine) == ""


def test_without_root_and_sudo_it_says_what_to_type(machine: Machine) -> None:
    machine.command("id", "echo 1000")
    result = machine.call("install_packages demo")
    assert result.returncode == 1
    assert "apt-get install --no-install-recommends" in result.stderr
    assert "xauth" in result.stderr
    assert apt_calls(machine) == ""


def test_with_sudo_it_is_used(machine: Machine) -> None:
    machine.command("id", "echo 1000")
    machine.command("sudo", f'echo sudo >>{machine.root}/sudo.calls; exec "$@"')
    assert machine.call("install_packages demo").returncode == 0
    assert (machine.root / "sudo.calls").read_text().count("sudo") >= 2
    assert not machine.policy_rc.exists()


def test_services_are_held_while_installing_and_released_after(machine: Machine) -> None:
    machine.command("apt-get", f"cat {machine.policy_rc} >{machine.root}/seen")
    assert machine.call("install_packages demo").returncode == 0
    assert "exit 101" in (machine.root / "seen").read_text()
    assert not machine.policy_rc.exists()


def test_a_policy_that_was_there_stays_untouched(machine: Machine) -> None:
    machine.policy_rc.write_text("#!/bin/sh\nexit 101 # the machine's own\n")
    assert machine.call("install_packages demo").returncode == 0
    assert "machine's own" in machine.policy_rc.read_text()


def test_a_failure_of_apt_is_shown_and_leaves_services_released(machine: Machine) -> None:
    (machine.root / "fail").touch()
    result = machine.call("install_packages demo")
    assert result.returncode == 1
    assert "broken" in result.stderr
    assert "apt-get failed" in result.stderr
    assert not machine.policy_rc.exists()


def test_an_old_python_is_refused(machine: Machine) -> None:
    result = machine.call("find_python() { return 1; }; make_venv")
    assert result.returncode == 1
    assert "Python 3.11" in result.stderr


def test_an_unknown_word_shows_the_usage(machine: Machine) -> None:
    result = machine.call("main nonsense")
    assert result.returncode == 2
    assert "setup.sh demo" in result.stderr


@pytest.fixture
def open_machine() -> Iterator[Machine]:
    """One whose checkout everybody may read, with the real `id`."""
    with TemporaryDirectory(prefix="kakehashi-") as folder:
        Path(folder).chmod(0o755)
        made = Machine(Path(folder))
        for name in ("apt-get", "dpkg-query"):
            made.command(name, "exit 1")
        found = shutil.which("id")
        assert found
        (made.bin / "id").symlink_to(found)
        yield made


def unprivileged() -> int | None:
    """Whom to become for not being root; None when this run is not."""
    return _NOBODY if os.geteuid() == 0 else None


@pytest.mark.parametrize(
    ("mode", "choice", "instead"),
    [
        ("demo", "", "make demo DESKTOPS=no"),
        ("test", "", "pytest tests/unit tests/property"),
        ("test", "DESKTOPS=no; ", "pytest tests/unit tests/property"),
    ],
)
def test_who_is_not_root_is_told_at_once_what_to_type(
    open_machine: Machine, mode: str, choice: str, instead: str
) -> None:
    result = open_machine.call(f"{choice}main {mode}", unprivileged())
    assert result.returncode == 1
    assert f"sudo make {mode}\n" in result.stderr
    assert instead in result.stderr
    assert "only root" in result.stderr
    assert result.stdout == "", "nothing was begun"


@pytest.mark.parametrize(("mode", "said"), [("demo", "no desktop can be started"), ("check", ""), ("web", "")])
def test_without_root_it_goes_on_where_no_desktop_is_wanted(open_machine: Machine, mode: str, said: str) -> None:
    steps = "install_packages() { say packages; }; install_python() { say python; }; "
    (open_machine.root / "deploy" / "web.sh").write_text("#!/bin/bash\n")
    choice = "DESKTOPS=no; " if said else ""
    result = open_machine.call(f"{steps}{choice}main {mode}", unprivileged())
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("ready\n")
    assert (said in result.stderr) if said else result.stderr == ""


@pytest.fixture
def checkout(machine: Machine) -> Machine:
    """With all that set-up makes its decisions from; Python and Node.js write down what they are asked to do."""
    machine.command("dpkg-query", f"sed 's/^/ii  /' {machine.root}/deploy/packages-*.txt")
    for name in ("requirements-build.lock", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, machine.root / name)
    web = machine.root / "web_client"
    web.mkdir()
    for name in ("package.json", "package-lock.json", "index.html"):
        shutil.copy(ROOT / "web_client" / name, web / name)
    work = machine.root / "work.calls"
    work.touch()
    venv = f"mkdir -p {machine.root}/.venv/bin && cp $0 {machine.root}/.venv/bin/python"
    machine.command(
        "python3",
        f"""case "$*" in
        -c*) exit 0 ;;
        *venv*) {venv} ;;
        *editable*) touch {machine.root}/.venv/bin/kakehashi; chmod 755 {machine.root}/.venv/bin/kakehashi
          [ ! -e {machine.root}/fail ] || exit 1 ;;
        esac
        echo python "$@" >>{work}""",
    )
    machine.command("node", "exit 0")
    machine.command(
        "npm",
        f"""case "$*" in
        --version) echo 11.0.0; exit ;;
        ci*) mkdir -p node_modules ;;
        *build) mkdir -p dist; touch dist/index.html ;;
        esac
        echo npm "$@" >>{work}""",
    )
    return machine


def set_up(machine: Machine, mode: str = "test") -> tuple[list[str], list[str]]:
    """What it said and what it had others do."""
    work = machine.root / "work.calls"
    before = len(work.read_text().splitlines())
    result = machine.call(f"PYTHON={machine.bin}/python3; main {mode}")
    assert result.returncode == 0, result.stderr
    said = [line.removeprefix("[kakehashi] ") for line in result.stdout.splitlines()]
    return said, work.read_text().splitlines()[before:]


UP_TO_DATE: Final = [
    "Debian packages: all there",
    "Python: .venv is up to date",
    "Web client: bundle is up to date",
    "ready",
]


def test_a_second_run_does_nothing_and_takes_a_moment(checkout: Machine) -> None:
    _said, work = set_up(checkout)
    assert [line.split()[0] for line in work].count("npm") == 2, "packages, bundle"
    assert len([line for line in work if "-m pip" in line]) == 3, "build tools, packages, ourselves"
    started = time.monotonic()
    assert set_up(checkout) == (UP_TO_DATE, [])
    assert set_up(checkout, "demo") == (UP_TO_DATE, []), "the tests' environment is enough for the demo"
    assert time.monotonic() - started < 10.0


def test_only_what_changed_is_made_again(checkout: Machine) -> None:
    set_up(checkout)
    with (checkout.root / "web_client" / "index.html").open("a") as page:
        page.write("<!-- changed -->\n")
    assert set_up(checkout)[1] == ["npm run build"]
    with (checkout.root / "requirements-dev.lock").open("a") as lock:
        lock.write("\n")
    said, work = set_up(checkout)
    assert {line.split()[0] for line in work} == {"python"}
    assert UP_TO_DATE[2] in said
    (checkout.root / "web_client" / "dist" / "index.html").unlink()
    assert set_up(checkout)[1] == ["npm run build"]


def test_a_failed_install_is_no_set_up(checkout: Machine) -> None:
    (checkout.root / "fail").touch()
    assert checkout.call(f"PYTHON={checkout.bin}/python3; main test").returncode == 1
    (checkout.root / "fail").unlink()
    assert [line for line in set_up(checkout)[1] if "--editable" in line]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root leaves files that are not the owner's")
@pytest.mark.parametrize("fails", [False, True])
def test_what_root_made_becomes_that_of_whoever_owns_the_checkout(checkout: Machine, fails: bool) -> None:
    """Not the demo's folder, and nothing that a link leads to."""
    root = checkout.root
    for path in (root, root / "web_client", root / "pyproject.toml"):
        os.chown(path, _NOBODY, _NOBODY)
    outside, twice, secret = root.parent / "outside", root.parent / "twice", root / ".demo" / "secret"
    secret.parent.mkdir()
    for path in (outside, twice, secret):
        path.touch()
    (root / "link").symlink_to(outside)
    (root / "second-name").hardlink_to(twice)
    if fails:
        (root / "fail").touch()
    result = checkout.call(f"PYTHON={checkout.bin}/python3; main test")
    assert result.returncode == int(fails), result.stderr
    made = [root / ".venv" / "bin" / "kakehashi", root / ".cache" / "pip.log", root / "link"]
    made += [] if fails else [root / "web_client" / "dist" / "index.html"]
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in made} == {(_NOBODY, _NOBODY)}
    assert {path.stat().st_uid for path in (outside, twice, secret, secret.parent)} == {0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root leaves files that are not the owner's")
def test_in_a_checkout_of_roots_nothing_is_given_away(checkout: Machine) -> None:
    foreign = checkout.root / "web_client" / "package.json"
    os.chown(foreign, _NOBODY, _NOBODY)
    set_up(checkout)
    assert foreign.stat().st_uid == _NOBODY
    assert (checkout.root / ".venv" / "bin" / "kakehashi").stat().st_uid == 0
