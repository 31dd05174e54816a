"""The set-up script's decisions, on a machine that is described to it by stand-ins for dpkg, apt and id.

What really installs is tried by every run of `make test`; here are the cases that a complete machine never shows.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[3]
_TOOLS: Final = ("bash", "cat", "chmod", "cut", "dirname", "env", "grep", "mkdir", "rm", "sed", "tail", "tee")


class Machine:
    """A checkout's deploy folder and a PATH that holds only what the test puts there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.policy_rc = root / "policy-rc.d"
        self.bin.mkdir()
        (root / "deploy").mkdir()
        for name in ("setup.sh", "common.sh", "packages-demo.txt", "packages-test.txt"):
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

    def call(self, code: str) -> subprocess.CompletedProcess[str]:
        """Source the script and run a line of shell."""
        return subprocess.run(
            ["/bin/bash", "-c", f". {self.root}/deploy/setup.sh; policy_rc={self.policy_rc}; {code}"],
            env={"PATH": str(self.bin), "LC_ALL": "C.UTF-8"},
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
