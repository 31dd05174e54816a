"""A real slapd in a temporary folder: TLS from a throwaway CA, LDAPS, StartTLS, plain, and a root-only unix socket.

memberOf, refint and ppolicy are loaded. Seeding goes over the wire, because slapadd does not fill memberOf. Plain
`ldap://` is open for the tests that prove our side refuses it.
"""

import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.support.ports import free_port

BASE_DN = "dc=example,dc=test"
PEOPLE_DN = f"ou=people,{BASE_DN}"
GROUPS_DN = f"ou=groups,{BASE_DN}"
ROOT_DN = f"cn=admin,{BASE_DN}"
ROOT_PASSWORD = "root-pw"
SERVICE_DN = f"cn=gateway,ou=services,{BASE_DN}"
SERVICE_PASSWORD = "service-pw"
DECOY_DN = f"cn=decoy,ou=services,{BASE_DN}"

_START_SECONDS = 10.0

SKELETON = f"""\
dn: {BASE_DN}
objectClass: domain
dc: example

dn: {PEOPLE_DN}
objectClass: organizationalUnit
ou: people

dn: {GROUPS_DN}
objectClass: organizationalUnit
ou: groups

dn: ou=services,{BASE_DN}
objectClass: organizationalUnit
ou: services

dn: ou=policies,{BASE_DN}
objectClass: organizationalUnit
ou: policies

dn: {SERVICE_DN}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: gateway
userPassword: {SERVICE_PASSWORD}

dn: {DECOY_DN}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: decoy
userPassword: never-used-by-anybody-4bf1

"""

DEFAULT_POLICY = {"pwdMinLength": "8", "pwdCheckQuality": "2", "pwdInHistory": "3", "pwdMustChange": "TRUE"}
"""Of the policy that holds for everybody; `run_slapd(policy=...)` replaces it."""


def person(
    uid: str,
    password: str,
    *,
    surname: str = "試験",
    display_name: str | None = None,
    department: str = "総務課",
    employment: str = "常勤",
    extra: str = "",
) -> str:
    """An LDIF record of a member of staff under `PEOPLE_DN`."""
    return (
        f"dn: uid={uid},{PEOPLE_DN}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {surname}\n"
        f"displayName: {display_name or surname}\nou: {department}\nemployeeType: {employment}\n"
        f"userPassword: {password}\n{extra}\n"
    )


def group(name: str, *members: str) -> str:
    """An LDIF record of a group under `GROUPS_DN`; members are DNs."""
    lines = "".join(f"member: {dn}\n" for dn in members)
    return f"dn: cn={name},{GROUPS_DN}\nobjectClass: groupOfNames\ncn: {name}\n{lines}\n"


def person_dn(uid: str) -> str:
    """The DN that `person` gives."""
    return f"uid={uid},{PEOPLE_DN}"


def group_dn(name: str) -> str:
    """The DN that `group` gives."""
    return f"cn={name},{GROUPS_DN}"


STAFF = "".join(
    [
        person("sato", "sato-pw-2026", surname="佐藤", display_name="佐藤 花子", department="税務課"),
        person("suzuki", "suzuki-pw-2026", surname="鈴木", display_name="鈴木 一郎", department="福祉課"),
        person(
            "takahashi", "パスワード・漢字🔑", surname="高橋", display_name="高橋 みどり", employment="会計年度任用"
        ),
        group("telework", person_dn("sato"), person_dn("suzuki")),
        group("zeimu", person_dn("sato")),
        group("honcho", group_dn("zeimu")),
    ]
)
"""Three people; sato is in `honcho` only through `zeimu`."""


@dataclass
class Slapd:
    """A running directory. `host` is 127.0.0.1: libldap itself would replace the name localhost in its checks."""

    folder: Path
    ldap_port: int
    ldaps_port: int
    ca_file: Path
    host: str = "127.0.0.1"
    base_dn: str = BASE_DN
    _running: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def ldapi_url(self) -> str:
        """The unix socket, for administration."""
        return "ldapi://" + str(self.folder / "ldapi").replace("/", "%2F")

    def start(self) -> None:
        """Start (again) and wait until both TCP ports and the socket answer."""
        urls = f"ldap://{self.host}:{self.ldap_port}/ ldaps://{self.host}:{self.ldaps_port}/ {self.ldapi_url}"
        with (self.folder / "log").open("ab") as log:
            self._running = subprocess.Popen(
                ["/usr/sbin/slapd", "-f", self.folder / "slapd.conf", "-h", urls, "-d", "0"], stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_SECONDS
        while subprocess.run(self._tool("ldapwhoami"), capture_output=True, timeout=10).returncode != 0:
            if self._running.poll() is not None or time.monotonic() > deadline:
                check = ["/usr/sbin/slaptest", "-u", "-f", str(self.folder / "slapd.conf")]
                reason = subprocess.run(check, capture_output=True, timeout=10).stderr.decode()
                raise RuntimeError(f"slapd did not start: {reason}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, also when it is hung."""
        if self._running is not None:
            self._running.send_signal(signal.SIGCONT)
            self._running.terminate()
            try:
                self._running.wait(5)
            except subprocess.TimeoutExpired:
                self._running.kill()
                self._running.wait(5)
            self._running = None

    def hang(self) -> None:
        """SIGSTOP: the kernel still accepts connections, nothing answers."""
        assert self._running is not None
        self._running.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self._running.pid}/task")
        deadline = time.monotonic() + 5
        while any(") T " not in (task / "stat").read_text() for task in tasks.iterdir()):
            assert time.monotonic() < deadline, "slapd does not stop"
            time.sleep(0.005)  # a thread that runs on may still answer

    def resume(self) -> None:
        """End of `hang`."""
        assert self._running is not None
        self._running.send_signal(signal.SIGCONT)

    def add(self, ldif: str) -> None:
        """Add entries as the root of the directory."""
        self._feed("ldapadd", ldif)

    def modify(self, ldif: str, *, relax: bool = False) -> None:
        """Change entries as root; `relax` allows attributes that only the server writes, such as pwdChangedTime."""
        self._feed("ldapmodify", ldif, *(["-e", "!relax"] if relax else []))

    def set(self, dn: str, attribute: str, *values: str, relax: bool = False) -> None:
        """Replace one attribute; no value removes it."""
        lines = "".join(f"{attribute}: {value}\n" for value in values)
        self.modify(f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{lines}", relax=relax)

    def read(self, dn: str, *attributes: str) -> str:
        """One entry as LDIF, read as root."""
        done = subprocess.run(
            [*self._tool("ldapsearch"), "-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", dn, *attributes],
            capture_output=True,
            timeout=10,
            check=True,
        )
        return done.stdout.decode()

    def _feed(self, tool: str, ldif: str, *options: str) -> None:
        done = subprocess.run([*self._tool(tool), *options], input=ldif.encode(), capture_output=True, timeout=30)
        if done.returncode != 0:
            raise RuntimeError(f"{tool}: {done.stderr.decode()}")

    def _tool(self, name: str) -> list[str]:
        return [name, "-x", "-H", self.ldapi_url, "-D", ROOT_DN, "-w", ROOT_PASSWORD]


@contextmanager
def run_slapd(
    folder: Path,
    ldif: str = STAFF,
    *,
    ca: trustme.CA | None = None,
    names: tuple[str, ...] = ("127.0.0.1", "localhost"),
    policy: dict[str, str] | None = None,
    service_may_change_passwords: bool = False,
    configuration: str = "",
    root_dse: str = "",
    limits: str = "",
) -> Iterator[Slapd]:
    """Start a directory in `folder`, seeded with `ldif`; stopped at the end.

    `names` go into its certificate; `ca` lets several directories share one CA. `configuration` is added to the global
    part of slapd.conf, `limits` to that of the database; the root DSE shows the LDIF lines of `root_dse` too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "db").mkdir()
    authority = ca or trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued = authority.issue_cert(*names)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "key.pem").chmod(0o600)
    (folder / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    if root_dse:
        (folder / "root.ldif").write_text(f"dn:\n{root_dse}\n")
        configuration += f"\nrootDSE {folder}/root.ldif\n"
    (folder / "slapd.conf").write_text(_configuration(folder, configuration, limits, service_may_change_passwords))
    slapd = Slapd(folder, free_port(), free_port(), folder / "ca.pem")
    try:
        slapd.start()
        rules = "".join(f"{name}: {value}\n" for name, value in (DEFAULT_POLICY if policy is None else policy).items())
        default_policy = (
            f"dn: cn=default,ou=policies,{BASE_DN}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: default\n"
            f"pwdAttribute: userPassword\n{rules}\n"
        )
        slapd.add(SKELETON + default_policy + ldif)
        yield slapd
    finally:
        slapd.stop()


def client_context(slapd: Slapd) -> ssl.SSLContext:
    """A verifying context for this directory's CA."""
    return ssl.create_default_context(cafile=slapd.ca_file)


def _configuration(folder: Path, extra: str, limits: str, service_may_change_passwords: bool) -> str:
    may = "write" if service_may_change_passwords else "auth"
    return f"""\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
moduleload ppolicy
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
TLSCACertificateFile {folder}/ca.pem
TLSProtocolMin 3.3
threads 4
{extra}
database mdb
suffix "{BASE_DN}"
rootdn "{ROOT_DN}"
rootpw {ROOT_PASSWORD}
directory {folder}/db
maxsize 67108864
{limits}
dbnosync
index objectClass,uid,cn,entryUUID,member,memberOf eq
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
memberof-refint TRUE
overlay refint
refint_attributes member memberOf
overlay ppolicy
ppolicy_default "cn=default,ou=policies,{BASE_DN}"
ppolicy_use_lockout
ppolicy_hash_cleartext
access to attrs=userPassword by self write by dn.exact="{SERVICE_DN}" {may} by anonymous auth by * none
access to * by dn.exact="{SERVICE_DN}" read by self read by * none
"""
