"""A real LDAP directory for the demo: OpenLDAP's slapd with TLS, memberOf and a password policy, filled with the city.

Counterpart: `gateway.demo.city` (the people) and auth's LDAP client, which reads it as any directory. It listens on
loopback with TLS only. Passwords reach slapd in clear over TLS and are hashed there.
"""

import asyncio
import base64
import secrets
import shutil
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.demo import children, city
from gateway.demo.children import Account, Child
from gateway.demo.pki import Pair, write_private

BASE_DN: Final = "dc=sample-city,dc=example"
PEOPLE_DN: Final = f"ou=people,{BASE_DN}"
GROUPS_DN: Final = f"ou=groups,{BASE_DN}"
ADMIN_DN: Final = f"cn=admin,{BASE_DN}"
SERVICE_DN: Final = f"cn=kakehashi,ou=services,{BASE_DN}"
DECOY_DN: Final = f"cn=decoy,ou=services,{BASE_DN}"
LOCKOUT_TRIES: Final = 10
_POLICY_DN: Final = f"cn=default,ou=policies,{BASE_DN}"
_SCHEMAS: Final = ("core", "cosine", "nis", "inetorgperson")
_READY_SECONDS: Final = 15.0
_FILL_SECONDS: Final = 30.0
_LOCKED_FOR_EVER: Final = "000001010000Z"


@dataclass(frozen=True, slots=True)
class DirectoryFolder:
    """Where slapd keeps things, and its two passwords (made once)."""

    folder: Path
    tls: Pair
    ca: Path
    account: Account | None

    @property
    def database(self) -> Path:
        """slapd's own files."""
        return self.folder / "db"

    @property
    def service_password(self) -> str:
        """Password of the account with which the gateway searches."""
        return (self.folder / "service.password").read_text("ascii")

    @property
    def admin_password(self) -> str:
        """Password of the directory's administrator."""
        return (self.folder / "admin.password").read_text("ascii")


def prepare(place: DirectoryFolder) -> bool:
    """Make folder, passwords and configuration. True when the directory is still empty and must be filled."""
    filled = place.folder / "filled"
    if not filled.exists() and place.folder.exists():
        shutil.rmtree(place.folder)  # a first run that was cut off half-way
    for made in (place.folder, place.database):
        made.mkdir(mode=0o700, exist_ok=True)
    for name in ("service.password", "admin.password"):
        if not (place.folder / name).exists():
            write_private(place.folder / name, secrets.token_urlsafe(24).encode())
    write_private(place.folder / "slapd.conf", configuration(place).encode())
    return not filled.exists()


async def run(place: DirectoryFolder, *, port: int, log: Path, env: Mapping[str, str]) -> Child:
    """Start slapd on 127.0.0.1 and wait until it answers over TLS. Raises ChildFailed."""
    command = ["slapd", "-f", str(place.folder / "slapd.conf"), "-h", f"ldaps://127.0.0.1:{port}/", "-d", "0"]
    child = await children.start("slapd", command, log=log, account=place.account, env=env, folder=place.folder)
    context = ssl.create_default_context(cafile=str(place.ca))
    try:
        await child.ready(lambda: answers_tls(port, context), _READY_SECONDS)
    except BaseException:
        await child.stop()
        raise
    return child


async def fill(place: DirectoryFolder, *, port: int, env: Mapping[str, str]) -> int:
    """Add departments, people and groups over the wire (only then memberOf is kept). Gives the number of people."""
    # -y reads the password from a file: it is in no argument list.
    command = ["ldapmodify", "-a", "-x", "-H", f"ldaps://127.0.0.1:{port}/", "-D", ADMIN_DN]
    command += ["-y", str(place.folder / "admin.password")]
    await children.output(
        command,
        env={**env, "LDAPTLS_CACERT": str(place.ca), "LDAPTLS_REQCERT": "demand"},
        seconds=_FILL_SECONDS,
        text=ldif(place.service_password, decoy_password=secrets.token_urlsafe(24)),
    )
    write_private(place.folder / "filled", b"yes\n")
    return len(city.staff())


async def answers_tls(port: int, context: ssl.SSLContext) -> bool:
    """Somebody on 127.0.0.1 completes a TLS handshake with a certificate that the context trusts."""
    try:
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except OSError:
        return False
    writer.transport.abort()
    return True


def configuration(place: DirectoryFolder) -> str:
    """slapd.conf: TLS only, memberOf, refint, password policy; people see nothing, the service account reads."""
    includes = "\n".join(f"include /etc/ldap/schema/{name}.schema" for name in _SCHEMAS)
    return f"""{includes}
pidfile {place.folder}/slapd.pid
argsfile {place.folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload refint
moduleload ppolicy
TLSCertificateFile {place.tls.certificate}
TLSCertificateKeyFile {place.tls.key}
TLSProtocolMin 3.3
security ssf=128
disallow bind_anon
database mdb
suffix "{BASE_DN}"
rootdn "{ADMIN_DN}"
rootpw {place.admin_password}
directory {place.database}
maxsize 67108864
index objectClass,uid,cn,member,memberOf,entryUUID eq
limits dn.exact="{SERVICE_DN}" size=unlimited time=unlimited
access to attrs=userPassword by self =xw by anonymous auth by * none
access to * by dn.exact="{SERVICE_DN}" read by self read by * none
overlay ppolicy
ppolicy_default "{_POLICY_DN}"
ppolicy_use_lockout
ppolicy_hash_cleartext
overlay memberof
memberof-group-oc groupOfNames
memberof-member-ad member
memberof-memberof-ad memberOf
memberof-refint TRUE
overlay refint
refint_attributes member
"""


def ldif(service_password: str, *, decoy_password: str) -> str:
    """The whole city as LDIF: tree, password policy, service accounts, people, groups, and marks on single people."""
    return "\n\n".join(_record(record) for record in _records(service_password, decoy_password)) + "\n"


def staff_ldif(people: Sequence[city.Staff], *, people_dn: str = PEOPLE_DN, groups_dn: str = GROUPS_DN) -> str:
    """People and their groups alone, for a directory whose tree stands already."""
    entries = [_person(person, people_dn) for person in people]
    entries += [_group(name, description, people, people_dn, groups_dn) for name, description in city.GROUPS.items()]
    return "\n\n".join(_record(entry) for entry in entries) + "\n"


_Attributes = Sequence[tuple[str, str]]


def _records(service_password: str, decoy_password: str) -> Iterator[_Attributes]:
    yield [
        ("dn", BASE_DN),
        ("objectClass", "dcObject"),
        ("objectClass", "organization"),
        ("dc", "sample-city"),
        ("o", city.NAME_JA),
    ]
    for name in ("people", "groups", "services", "policies"):
        yield [("dn", f"ou={name},{BASE_DN}"), ("objectClass", "organizationalUnit"), ("ou", name)]
    yield _password_policy()
    for dn, password in ((SERVICE_DN, service_password), (DECOY_DN, decoy_password)):
        yield [
            ("dn", dn),
            ("objectClass", "applicationProcess"),
            ("objectClass", "simpleSecurityObject"),
            ("cn", dn.split(",")[0].removeprefix("cn=")),
            ("userPassword", password),
        ]
    for person in city.staff():
        yield _person(person, PEOPLE_DN)
    for name, description in city.GROUPS.items():
        yield _group(name, description, city.staff(), PEOPLE_DN, GROUPS_DN)
    yield from _afterwards()


def _password_policy() -> _Attributes:
    return [
        ("dn", _POLICY_DN),
        ("objectClass", "device"),
        ("objectClass", "pwdPolicy"),
        ("cn", "default"),
        ("pwdAttribute", "userPassword"),
        ("pwdAllowUserChange", "TRUE"),
        ("pwdMustChange", "TRUE"),
        ("pwdMinLength", "10"),
        ("pwdCheckQuality", "1"),
        ("pwdInHistory", "3"),
        ("pwdLockout", "TRUE"),
        ("pwdMaxFailure", str(LOCKOUT_TRIES)),
        ("pwdLockoutDuration", "900"),
        ("pwdFailureCountInterval", "1800"),
    ]


def person_dn(uid: str, people_dn: str = PEOPLE_DN) -> str:
    """Where a person stands in the tree (uids here are plain ASCII words, nothing to escape)."""
    return f"uid={uid},{people_dn}"


def _person(person: city.Staff, people_dn: str) -> _Attributes:
    return [
        ("dn", person_dn(person.uid, people_dn)),
        ("objectClass", "inetOrgPerson"),
        ("uid", person.uid),
        ("cn", person.display_name),
        ("sn", person.family),
        ("givenName", person.given),
        ("displayName", person.display_name),
        ("ou", person.department),
        ("title", person.title),
        ("employeeNumber", person.number),
        ("employeeType", person.employment),
        ("mail", f"{person.uid}@{city.MAIL_DOMAIN}"),
        ("userPassword", person.password),
    ]


def _group(name: str, description: str, people: Sequence[city.Staff], people_dn: str, groups_dn: str) -> _Attributes:
    return [
        ("dn", f"cn={name},{groups_dn}"),
        ("objectClass", "groupOfNames"),
        ("cn", name),
        ("description", description),
        *(("member", person_dn(person.uid, people_dn)) for person in people if name in person.groups),
    ]


def _afterwards() -> Iterator[_Attributes]:
    for person in city.staff():
        marks = [("pwdReset", "TRUE")] if person.must_change_password else []
        marks += [("pwdAccountLockedTime", _LOCKED_FOR_EVER)] if person.retired else []
        for attribute, value in marks:
            yield [
                ("dn", person_dn(person.uid)),
                ("changetype", "modify"),
                ("replace", attribute),
                (attribute, value),
            ]


def _record(attributes: _Attributes) -> str:
    """One LDIF record; every value that is not plain ASCII goes in base64 (RFC 2849)."""
    return "\n".join(_line(name, value) for name, value in attributes)


def _line(name: str, value: str) -> str:
    plain = value.isascii() and value.isprintable() and value == value.strip() and value[:1] not in (":", "<")
    return f"{name}: {value}" if plain else f"{name}:: {base64.b64encode(value.encode()).decode()}"
