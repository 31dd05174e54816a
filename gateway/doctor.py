"""Examines the settings and everything the gateway depends on, and says what to fix. Changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from auth.diagnosis import diagnose
from common.clock import TOKYO, SystemClock
from common.db import Database, revision_gap
from common.errors import KakehashiError
from gateway.doctor_finding import Finding
from gateway.doctor_outage import audit_spool, clock, running_gateway
from gateway.doctor_plans import bcp_plans
from gateway.settings import Settings
from policy.report import check_report

_RENEW_BEFORE: Final = timedelta(days=14)


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; one fault hides no other."""
    findings: list[Finding] = []
    checks: tuple[Callable[[Settings], Awaitable[list[Finding]]], ...] = (
        _database,
        _directory,
        _policy,
        bcp_plans,
        _certificate,
        _private_files,
        audit_spool,
        clock,
        _agent,
        _web_client,
        running_gateway,
    )
    for check in checks:
        try:
            findings += await check(settings)
        except (KakehashiError, OSError, ValueError) as error:
            name = check.__name__.strip("_").replace("_", " ")
            findings.append(Finding(name, ok=False, text=str(error) or type(error).__name__))
    return findings


async def _database(settings: Settings) -> list[Finding]:
    database = Database(settings.database.url)
    try:
        if not await database.answers():
            remedy = "start it, or correct database.url; running sessions go on meanwhile, nothing new begins"
            return [Finding("database", ok=False, text=f"{database.dialect} does not answer", remedy=remedy)]
        gap = await revision_gap(settings.database.url)
    finally:
        await database.close()
    if gap and not settings.database.auto_upgrade:
        return [Finding("database", ok=False, text=f"schema is {gap}", remedy="run: kakehashi db upgrade")]
    return [Finding("database", ok=True, text=f"{database.dialect} answers; schema {gap or 'is up to date'}")]


async def _directory(settings: Settings) -> list[Finding]:
    return [
        Finding(f"directory {found.server}", ok=found.ok, text=found.text, remedy=found.remedy)
        for found in await diagnose(settings.auth.ldap)
    ]


async def _policy(settings: Settings) -> list[Finding]:
    path = settings.policy.path
    today = SystemClock().now().astimezone(TOKYO).date()
    report = check_report(await asyncio.to_thread(path.read_bytes), name=str(path), today=today, language="en")
    return [Finding("policy", ok=report.ok, text=str(path) if report.ok else report.text)]


async def _certificate(settings: Settings) -> list[Finding]:
    http = settings.http
    if http.certificate_file is None:
        return [Finding("certificate", ok=True, text="TLS ends at the named proxies")]
    certificate = x509.load_pem_x509_certificate(await asyncio.to_thread(http.certificate_file.read_bytes))
    now = SystemClock().now().astimezone(UTC)
    return [_validity(certificate, now), *(_name(certificate, origin) for origin in http.origins)]


def _validity(certificate: x509.Certificate, now: datetime) -> Finding:
    end = certificate.not_valid_after_utc
    ok = certificate.not_valid_before_utc <= now and now + _RENEW_BEFORE < end
    return Finding("certificate", ok=ok, text=f"valid until {end:%Y-%m-%d}", remedy="" if ok else "renew it now")


def _name(certificate: x509.Certificate, origin: str) -> Finding:
    host = urlsplit(origin).hostname or ""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = names.get_values_for_type(x509.DNSName)
    known = {*dns, *(str(address) for address in names.get_values_for_type(x509.IPAddress))}
    ok = host in known or f"*.{host.partition('.')[2]}" in known
    remedy = "" if ok else f"get a certificate for {host}, or correct http.origins"
    return Finding("certificate name", ok=ok, text=f"{host}: {'covered' if ok else 'not in it'}", remedy=remedy)


async def _private_files(settings: Settings) -> list[Finding]:
    own = [_private(file, ours=True) for file in (settings.secrets_file, settings.audit.key_file)]
    return [*own, *([_private(settings.http.key_file, ours=False)] if settings.http.key_file else [])]


def _private(file: Path, *, ours: bool) -> Finding:
    if not file.exists() and not ours:
        return Finding(str(file), ok=False, text="no such file", remedy="put the certificate's key there, mode 0600")
    if not file.exists():
        return Finding(str(file), ok=file.parent.is_dir(), text="will be created", remedy=f"create {file.parent}")
    ok = not file.stat().st_mode & 0o077
    return Finding(str(file), ok=ok, text="private" if ok else "others can read it", remedy=f"chmod 600 {file}")


async def _agent(settings: Settings) -> list[Finding]:
    socket = settings.broker.agent.socket
    if socket is None:
        return [Finding("session host", ok=True, text="none configured: only existing desktops can be used")]
    try:
        async with asyncio.timeout(3):
            _, writer = await asyncio.open_unix_connection(socket)
    except (OSError, TimeoutError) as error:
        remedy = "start kakehashi-agent; its settings name the socket and the gateway's account"
        return [Finding("session host", ok=False, text=f"{socket}: {error}", remedy=remedy)]
    writer.close()
    return [Finding("session host", ok=True, text=f"answers on {socket}")]


async def _web_client(settings: Settings) -> list[Finding]:
    from gateway.app import web_root

    page = web_root(settings) / "index.html"
    ok = page.is_file()
    return [Finding("web client", ok=ok, text=str(page), remedy="" if ok else "build it: make build")]
