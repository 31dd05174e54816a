"""One file with all that a gateway cannot make again: database, keys, and every file that its settings name.

Counterparts: `common/db_copy.py` copies the database, `gateway/cli/backup.py` has the commands. A copy can be made
while the gateway runs. It goes back only to where nothing else lies: what is there and differs is named, and nothing
is changed.
"""

import grp
import hashlib
import io
import os
import pwd
import re
import shutil
import socket
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common import db_copy
from common.errors import KakehashiError
from common.settings import load
from gateway.settings import Settings

_MANIFEST: Final = "manifest.json"
_SETTINGS: Final = "settings.toml"
_DATABASE: Final = "database"
_FILES: Final = "files/"
_FILE_NAME: Final = re.compile(r"files/[a-z0-9_]+(\.[a-z0-9_]+)*")
_KEYRING: Final = "secrets_file"
_OF_PACKAGES: Final = Path("/usr")
"""Fonts and the like come with packages."""
_MANIFEST_BYTES: Final = 256 * 1024
_PIECE: Final = 1024 * 1024


class Member(BaseModel):
    """One file of a copy: what it must hash to, whose it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    mode: int = Field(ge=0, le=0o777)
    owner: str = Field(max_length=64)
    group: str = Field(max_length=64)


class Manifest(BaseModel):
    """What a copy says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(ge=1, le=1)
    made_at: datetime
    node_id: str
    tenant_id: str
    database: db_copy.Kind
    members: dict[str, Member] = Field(max_length=100)


def write(config: Path, target: Path, now: datetime) -> Manifest:
    """Make a copy in a new file that only its owner may read. Raises KakehashiError."""
    settings = load(Settings, config)
    if target.exists():
        raise KakehashiError(f"{target} exists already: copies are never written over")
    half = target.with_name(target.name + ".part")
    try:
        with TemporaryDirectory(prefix="kakehashi-backup-", dir=target.parent) as folder:
            own = Path(folder)
            db_copy.dump(settings.database.url, own / _DATABASE)  # before the keys: one added meanwhile is not missing
            files = {_SETTINGS: config} | {
                _FILES + name: file for name, file in _named_files(settings) if file.is_file()
            }
            members = {name: _copied(file, own / name) for name, file in files.items()}
            members[_DATABASE] = _member(own / _DATABASE, like=files[_FILES + _KEYRING])
            manifest = Manifest(
                format=1,
                made_at=now,
                node_id=settings.node_id,
                tenant_id=settings.tenant.id,
                database=db_copy.kind(settings.database.url),
                members=members,
            )
            _pack(half, manifest, own)
            half.replace(target)
    except OSError as error:
        raise KakehashiError(f"{error.filename or target}: {error.strerror}") from error
    finally:
        half.unlink(missing_ok=True)
    return manifest


def restore(archive: Path, config: Path) -> Manifest:
    """Put a copy back: its files where the settings name them, its database into the empty one. Raises KakehashiError.

    The places are those of the settings file that is there, never of the copy's. The schema stays as it was: `db
    upgrade` comes afterwards.
    """
    if not config.is_file():
        raise KakehashiError(_without_settings(archive, config))
    try:
        with TemporaryDirectory(prefix="kakehashi-restore-", dir=archive.parent) as name:
            folder = Path(name)
            manifest = _unpack(archive, folder)
            settings = load(Settings, config)
            places = dict(_named_files(settings))
            wanted = {folder / member: places.get(member.removeprefix(_FILES)) for member in manifest.members
                      if member.startswith(_FILES)}  # fmt: skip
            faults = list(_faults(manifest, settings, wanted))
            if faults:
                raise KakehashiError("nothing was changed:\n" + "\n".join(f"  {fault}" for fault in faults))
            for source, place in wanted.items():
                if place is not None:
                    _place(source, place, manifest.members[source.relative_to(folder).as_posix()])
            owner = manifest.members[_DATABASE]
            db_copy.load(settings.database.url, folder / _DATABASE, lambda file: _give(file, owner))
    except OSError as error:
        raise KakehashiError(f"{error.filename or archive}: {error.strerror}") from error
    return manifest


def _without_settings(archive: Path, config: Path) -> str:
    took = f"(umask 077; tar -xzOf {quote(str(archive))} {_SETTINGS} > {quote(str(config))})"
    return (
        f"{config} is not there. Where things go is for you to say, not for the copy. Take its settings out with\n"
        f"  {took}\nlook at every path and address in them, and run this again"
    )


def _named_files(settings: BaseModel, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Every path of the settings, by the setting's name. A setting that comes later is found by itself."""
    for name in type(settings).model_fields:
        yield from _paths(getattr(settings, name), prefix + name)


def _paths(value: Any, name: str) -> Iterator[tuple[str, Path]]:
    match value:
        case Path():
            if not value.is_relative_to(_OF_PACKAGES):
                yield name, value
        case BaseModel():
            yield from _named_files(value, name + ".")
        case tuple() | list():
            for place, item in enumerate(value):
                yield from _paths(item, f"{name}.{place}")
        case _:
            pass


def _copied(file: Path, copy: Path) -> Member:
    """The gateway may replace a file while the archive is written: what is hashed must be what is packed."""
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(file, copy)
    return _member(copy, like=file)


def _member(copy: Path, like: Path) -> Member:
    about = like.stat()
    owner = group = ""
    with suppress(KeyError):  # an account without a name, as the demo's
        owner, group = pwd.getpwuid(about.st_uid).pw_name, grp.getgrgid(about.st_gid).gr_name
    return Member(sha256=_hash(copy), mode=about.st_mode & 0o777, owner=owner, group=group)


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _pack(target: Path, manifest: Manifest, folder: Path) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        text = manifest.model_dump_json(indent=1).encode()
        head = tarfile.TarInfo(_MANIFEST)
        head.size, head.mode = len(text), 0o600
        archive.addfile(head, io.BytesIO(text))
        for name in manifest.members:
            archive.add(folder / name, name, recursive=False, filter=_plain)
        archive.close()
        stream.flush()
        os.fsync(stream.fileno())


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose it was stands in the manifest; who unpacks it by hand shall not show it to others."""
    member.mode = 0o600
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _unpack(archive: Path, folder: Path) -> Manifest:
    """The manifest; every file that it names lies in `folder`, as it was. No path of the archive's own is used."""
    try:
        with tarfile.open(archive, "r:gz") as packed:
            head = packed.next()
            stream = packed.extractfile(head) if head is not None and head.name == _MANIFEST else None
            if stream is None:
                raise KakehashiError(f"{archive} is no backup of a gateway")
            manifest = Manifest.model_validate_json(stream.read(_MANIFEST_BYTES))
            (folder / _FILES).mkdir()
            for name, member in manifest.members.items():
                _extract(packed, name, folder)
                if _hash(folder / name) != member.sha256:
                    raise KakehashiError(f"{archive}: {name} is not what it was: the copy is damaged")
    except (tarfile.TarError, EOFError, ValidationError, KeyError) as error:
        raise KakehashiError(f"{archive} is no backup of a gateway, or is damaged: {type(error).__name__}") from error
    return manifest


def _extract(packed: tarfile.TarFile, name: str, folder: Path) -> None:
    if name not in (_SETTINGS, _DATABASE) and not _FILE_NAME.fullmatch(name):
        raise KakehashiError(f"{name!r} has no place in a backup")
    stream = packed.extractfile(name)
    if stream is None:
        raise KakehashiError(f"{name} is missing in the copy")
    with (folder / name).open("xb") as out:
        shutil.copyfileobj(stream, out, _PIECE)


def _faults(manifest: Manifest, settings: Settings, wanted: dict[Path, Path | None]) -> Iterator[str]:
    if settings.tenant.id != manifest.tenant_id:
        yield f"the copy is of tenant {manifest.tenant_id}, the settings are for {settings.tenant.id}"
    if db_copy.kind(settings.database.url) != manifest.database:
        yield f"the copy's database is {manifest.database}, the settings name another kind"
    elif not db_copy.is_empty(settings.database.url):
        yield "the database is not empty"
    if settings.admin.socket is not None and _answers(settings.admin.socket):
        yield "the gateway is running: stop it first"
    for source, place in wanted.items():
        if place is None:
            yield f"{source.name}: the settings name no such file"
        elif place.exists() and _hash(place) != _hash(source):
            yield f"{place} exists and differs from the copy's: move it away"


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _place(source: Path, place: Path, member: Member) -> None:
    if place.exists():
        return  # the same, as was seen before
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    half = place.with_name(place.name + ".restoring")
    half.unlink(missing_ok=True)
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out, source.open("rb") as stream:
        shutil.copyfileobj(stream, out, _PIECE)
        _give(out.fileno(), member)
        os.fchmod(out.fileno(), member.mode)
    half.replace(place)


def _give(file: int, member: Member) -> None:
    """Back to whom it belonged, where that account exists and we may. By its descriptor: whoever may write in that
    folder could put a link in the name's place."""
    if os.geteuid() == 0 and member.owner:
        with suppress(LookupError):
            shutil.chown(file, member.owner, member.group)
