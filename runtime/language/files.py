"""Where the texts of a site come from: a folder on disk, or texts in memory. It must not know what they say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

TESTS = ".test.yaml"  # the tests of a program stand beside it and are no part of the site: `bessplc test` reads them


class Files(Protocol):
    """Where the texts of a site come from."""

    def read(self, name: str) -> str:
        """The text of a file, named from the site's root. Raises OSError or UnicodeDecodeError."""

    def names(self, folder: str) -> list[str]:
        """The YAML files of a folder, named from the site's root."""


class Folder:
    """The files of a site on disk."""

    def __init__(self, root: Path):
        self.root = root

    def read(self, name: str) -> str:
        return (self.root / name).read_bytes().decode("utf-8")

    def names(self, folder: str) -> list[str]:
        found = (p.name for p in (self.root / folder).glob("*.yaml"))
        return sorted(f"{folder}/{name}" for name in found if not name.endswith(TESTS))


class Texts:
    """The files of a site in memory, for tests and benches."""

    def __init__(self, texts: Mapping[str, str]):
        self.texts = texts

    def read(self, name: str) -> str:
        if name not in self.texts:
            raise FileNotFoundError(2, "No such file or directory", name)
        return self.texts[name]

    def names(self, folder: str) -> list[str]:
        return sorted(name for name in self.texts if name.rpartition("/")[0] == folder)
