"""What the checker does with the site's `servers: opcua:`. It opens no port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.model import Tag
from runtime.servers.certificates_make import read_pair
from runtime.servers.certificates_read import CertificateError
from runtime.servers.opcua.settings import NOBODY, describe_opcua
from runtime.servers.users_file import read_users, users_of
from runtime.source import Report, place_of


def check(section: Any, tags: Sequence[Tag], root: Path, report: Report, constants: Mapping[str, str]) -> None:
    """Report every mistake of the section, with the files that it names."""
    settings = describe_opcua(section, report)
    at = place_of(section)
    if settings.certificate and settings.key:
        try:
            read_pair(root / settings.certificate, root / settings.key)
        except CertificateError as error:
            report.error(place_of(section["certificate"], at), "E004", str(error))
    if settings.anonymous == NOBODY and not read_users(users_of(root / (at.file or "config/site.yaml")), Report()):
        help = "`bessplc user add NAME --role operator` adds the first user"
        report.error(place_of(section["anonymous"], at), "E904", "`anonymous: none` and no users: nobody could connect", "", help)
