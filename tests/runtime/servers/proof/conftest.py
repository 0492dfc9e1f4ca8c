"""One demo site with every server for all the clients here: each takes part of it, none spoils it for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aids.servers_proof import Proof, proof_site


@pytest.fixture(scope="package")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    with proof_site(tmp_path_factory.mktemp("proof")) as site:
        yield site
