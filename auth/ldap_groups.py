"""All groups of a person, nested ones included: by Active Directory's own matching rule, or level by level elsewhere.

Counterpart: `auth/ldap_directory.py` calls it on a leased service connection. Which way is right is read from the root
DSE once, never found out by trying: OpenLDAP answers the AD rule with an empty list instead of an error.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import ldap
from ldap.dn import str2dn
from ldap.filter import escape_filter_chars

from auth.ldap_pool import Connection
from auth.settings import LdapSettings

AD_CAPABILITY: Final = "1.2.840.113556.1.4.800"
"""In supportedCapabilities of the root DSE: this is Active Directory."""
_IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
_MAX_LEVELS: Final = 20
_MAX_GROUPS: Final = 5_000
_DNS_PER_QUERY: Final = 100


def is_active_directory(connection: Connection) -> bool:
    """Ask the root DSE."""
    found = connection.search("", ldap.SCOPE_BASE, "(objectClass=*)", ["supportedCapabilities"])
    return any(AD_CAPABILITY.encode() in values.get("supportedCapabilities", ()) for _dn, values in found)


def groups_of(connection: Connection, settings: LdapSettings, dn: str, *, active_directory: bool) -> frozenset[str]:
    """Names of the groups that hold this DN. Raises ldap.LDAPError."""
    base = settings.group_base_dn or settings.base_dn
    wanted = [settings.group_name_attribute]
    attribute = settings.member_attribute
    if active_directory:
        starts = [dn, *_primary_group(connection, settings, dn)]
        rule = f":{_IN_CHAIN}:" if settings.nested_groups else ""
        found = connection.search(base, ldap.SCOPE_SUBTREE, _any_of(attribute + rule, starts), wanted)
        names = _names(found, settings.group_name_attribute)
        for primary in starts[1:]:
            names |= _names(
                connection.search(primary, ldap.SCOPE_BASE, "(objectClass=*)", wanted), settings.group_name_attribute
            )
        return frozenset(names)
    return _climb(connection, settings, base, dn)


def _climb(connection: Connection, settings: LdapSettings, base: str, dn: str) -> frozenset[str]:
    """Groups of the person, then groups of those groups. Every group is asked about once, so a cycle ends."""
    seen, level, names = {_canonical(dn)}, [dn], set[str]()
    for _ in range(_MAX_LEVELS if settings.nested_groups else 1):
        found = [
            pair
            for start in range(0, len(level), _DNS_PER_QUERY)
            for pair in connection.search(
                base,
                ldap.SCOPE_SUBTREE,
                _any_of(settings.member_attribute, level[start : start + _DNS_PER_QUERY]),
                [settings.group_name_attribute],
            )
        ]
        names |= _names(found, settings.group_name_attribute)
        level = []
        for group_dn, _values in found:
            if (spelled := _canonical(group_dn)) not in seen:
                seen.add(spelled)
                level.append(group_dn)
        if not level or len(seen) > _MAX_GROUPS:
            break
    return frozenset(names)


def groups_of_all(connection: Connection, settings: LdapSettings, dns: Iterable[str]) -> dict[str, frozenset[str]]:
    """The groups of many people at once, nested ones included: every group is read once and climbed in memory.

    Active Directory's primary group is not in here, because no group lists it; it names no rights in practice.
    """
    base = settings.group_base_dn or settings.base_dn
    attribute = settings.member_attribute
    wanted = [settings.group_name_attribute, attribute]
    holds: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for group_dn, values in connection.search_all(base, f"({attribute}=*)", wanted):
        spelled = _canonical(group_dn)
        names[spelled] = _names([(group_dn, values)], settings.group_name_attribute)
        for name, members in values.items():
            if name.lower() == attribute.lower():
                for member in members:
                    holds.setdefault(_canonical(member.decode("utf-8", "replace")), set()).add(spelled)
    return {dn: _climbed(_canonical(dn), holds, names, nested=settings.nested_groups) for dn in dns}


def _climbed(start: str, holds: dict[str, set[str]], names: dict[str, set[str]], *, nested: bool) -> frozenset[str]:
    """Names of all groups above `start`; each is visited once, so a cycle ends."""
    seen, level = set[str](), holds.get(start, set())
    while level - seen:
        seen |= level
        level = {above for group in level for above in holds.get(group, ())} - seen if nested else set()
    return frozenset(name for group in seen for name in names.get(group, ()))


def _primary_group(connection: Connection, settings: LdapSettings, dn: str) -> list[str]:
    """Active Directory keeps the primary group out of memberOf and member: find it by its SID."""
    found = connection.search(dn, ldap.SCOPE_BASE, "(objectClass=*)", ["objectSid", "primaryGroupID"])
    for _dn, values in found:
        sid, rid = values.get("objectSid"), values.get("primaryGroupID")
        if sid and rid:
            wanted = f"(objectSid={binary_filter_value(primary_group_sid(sid[0], int(rid[0])))})"
            base = settings.group_base_dn or settings.base_dn
            return [group_dn for group_dn, _ in connection.search(base, ldap.SCOPE_SUBTREE, wanted, ["cn"])]
    return []


def primary_group_sid(user_sid: bytes, rid: int) -> bytes:
    """The group's binary SID: the domain's, with the last sub-authority (4 bytes, little-endian) replaced by `rid`."""
    return user_sid[:-4] + rid.to_bytes(4, "little")


def binary_filter_value(value: bytes) -> str:
    """Every byte escaped (RFC 4515), for attributes such as objectGUID and objectSid."""
    return "".join(f"\\{byte:02x}" for byte in value)


def _any_of(attribute: str, dns: Sequence[str]) -> str:
    parts = "".join(f"({attribute}={escape_filter_chars(dn)})" for dn in dns)
    return parts if len(dns) == 1 else f"(|{parts})"


def _names(found: Iterable[tuple[str, dict[str, list[bytes]]]], attribute: str) -> set[str]:
    return {
        value.decode("utf-8", "replace")
        for _dn, values in found
        for name, texts in values.items()
        if name.lower() == attribute.lower()
        for value in texts[:1]
    }


def _canonical(dn: str) -> str:
    """One spelling per DN, good enough to see a group again; a DN that cannot be parsed stays as it is."""
    try:
        return "\0".join("+".join(sorted(f"{a.lower()}={v.lower()}" for a, v, _ in rdn)) for rdn in str2dn(dn))
    except ldap.DECODING_ERROR:
        return dn
