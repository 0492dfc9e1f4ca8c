"""`bessplc user` and `bessplc certificate` as a person types them."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from runtime.cli import app
from runtime.rundir import state_folder_of
from runtime.servers.certificates import Certificates
from runtime.servers.certificates_read import fingerprint_of, pretty
from runtime.servers.users import User, Users
from tests.aids.places import DEMO
from tests.aids.servers_pki import made

WORD = "volt-ampere"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    path = tmp_path / "plant1" / "config" / "site.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("site: plant1\n")
    return path


def say(site: Path, *words: str, typed: str = "", code: int = 0) -> Any:
    done = CliRunner().invoke(app, [*words, "--site", str(site)], input=typed)
    assert done.exit_code == code, done.output
    return done


def users_of(site: Path) -> Users:
    return Users(site.with_name("users.yaml"))


# users


def test_a_user_is_added_with_a_password_that_nobody_sees(site: Path) -> None:
    done = say(site, "user", "add", "eva", "--role", "operator", "--password-stdin", typed=f"{WORD}\n")
    file = site.with_name("users.yaml")
    assert WORD not in done.output and WORD not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert users_of(site).by_password_now("eva", WORD, "") == User("eva", "operator")
    say(site, "user", "password", "eva", "--password-stdin", typed="watt-second\n")
    assert users_of(site).by_password_now("eva", WORD, "") is None
    assert users_of(site).by_password_now("eva", "watt-second", "") == User("eva", "operator")
    say(site, "user", "remove", "eva")
    assert users_of(site).is_empty()


@pytest.mark.parametrize(
    ("words", "typed", "code", "says"),
    [
        (["add", "eva", "--role", "operator", "--password-stdin"], "short\n", 1, "8 characters"),
        (["add", "eva", "--role", "operator", "--password-stdin"], "", 1, "8 characters"),
        (["add", "eva", "--role", "operator"], WORD, 2, "--password-stdin"),
        (["add", "eva", "--role", "boss", "--no-password"], "", 2, "viewer, operator, engineer, admin"),
        (["add", "e va", "--role", "viewer", "--no-password"], "", 1, "letters"),
        (["remove", "eva"], "", 1, "no user `eva`"),
        (["token", "eva"], "", 1, "no user `eva`"),
        (["certificate", "eva", "none.pem"], "", 1, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(site: Path, words: list[str], typed: str, code: int, says: str) -> None:
    assert says in say(site, "user", *words, typed=typed, code=code).output
    assert not site.with_name("users.yaml").exists()


def test_a_site_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "does not exist" in say(tmp_path / "none.yaml", "user", "list", code=2).output


def test_a_token_is_printed_once_alone_on_standard_output(site: Path) -> None:
    say(site, "user", "add", "historian", "--role", "viewer", "--no-password")
    token = say(site, "user", "token", "historian", "--days", "7").stdout.strip()
    assert users_of(site).by_token(token) == User("historian", "viewer")
    (row,) = json.loads(say(site, "user", "list", "--json").stdout)["users"]
    assert row["tokens"] == [(datetime.now(UTC) + timedelta(days=7)).date().isoformat()] and row["password"] is False
    assert token not in say(site, "user", "list").output
    assert "1 to 3650" in say(site, "user", "token", "historian", "--days", "0", code=1).output


def test_a_user_comes_in_with_a_certificate_from_a_file(site: Path, tmp_path: Path) -> None:
    eva = made("eva")
    (tmp_path / "eva.pem").write_bytes(eva.pem)
    say(site, "user", "add", "eva", "--role", "engineer", "--no-password")
    say(site, "user", "certificate", "eva", str(tmp_path / "eva.pem"))
    assert users_of(site).by_certificate(eva.der) == User("eva", "engineer")


def test_what_a_thief_may_have_is_taken_away_again(site: Path, tmp_path: Path) -> None:
    eva = made("eva")
    (tmp_path / "eva.pem").write_bytes(eva.pem)
    say(site, "user", "add", "eva", "--role", "engineer", "--no-password")
    for which in (str(tmp_path / "eva.pem"), pretty(fingerprint_of(eva.der))[:23]):
        say(site, "user", "certificate", "eva", str(tmp_path / "eva.pem"))
        say(site, "user", "certificate", "eva", which, "--remove")
        assert users_of(site).by_certificate(eva.der) is None
    assert "8 digits" in say(site, "user", "certificate", "eva", "4F:0C", "--remove", code=1).output
    token = say(site, "user", "token", "eva").stdout.strip()
    assert "revoked: 1" in say(site, "user", "token", "eva", "--revoke").output
    assert users_of(site).by_token(token) is None


def test_a_user_is_given_another_role_and_keeps_the_password(site: Path) -> None:
    say(site, "user", "add", "eva", "--role", "viewer", "--password-stdin", typed=f"{WORD}\n")
    say(site, "user", "role", "eva", "operator")
    assert users_of(site).by_password_now("eva", WORD, "") == User("eva", "operator")
    assert "viewer, operator" in say(site, "user", "role", "eva", "boss", code=1).output
    assert "no user `ida`" in say(site, "user", "role", "ida", "viewer", code=1).output


@pytest.mark.parametrize("verb", ["user", "certificate"])
def test_the_help_has_examples_and_exit_codes_and_no_password_stands_on_a_command_line(verb: str) -> None:
    """What stands there is in the shell's history, and in the list of processes for everybody."""
    shown = " ".join(CliRunner().invoke(app, [verb, "--help"]).output.split())
    assert "Examples:" in shown and "Exit codes: 0 done, 1" in shown
    group = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    for name, command in group.commands.items():
        assert command.epilog and "Examples:" in command.epilog, name
        words = [word for option in command.params for word in option.opts if "password" in word]
        assert set(words) <= {"--password-stdin", "--no-password"}, name


def test_a_folder_that_may_not_be_written_is_told_without_a_traceback(site: Path, pki: Certificates, tmp_path: Path) -> None:
    file, _ = made("scada").write(tmp_path, "scada")
    pki.folder.parent.mkdir(parents=True, exist_ok=True)
    pki.folder.write_text("in the way")
    done = say(site, "certificate", "trust", str(file), code=1)
    assert "error: " in done.output and str(pki.folder) in done.output and "Traceback" not in done.output


def test_the_list_shows_a_broken_file_with_its_place_and_warns_where_others_may_read_it(site: Path) -> None:
    file = site.with_name("users.yaml")
    file.write_text("eva: {role: operator}\n")
    file.chmod(0o644)
    done = say(site, "user", "list")
    assert "eva" in done.stdout and "chmod 600 config/users.yaml" in done.output
    file.write_text("eva: {role: operator}\nmax: {role: boss}\n")
    assert "config/users.yaml:2:13" in say(site, "user", "list", code=1).output


# certificates


@pytest.fixture
def pki(site: Path) -> Certificates:
    return Certificates(state_folder_of(site) / "pki")


def test_the_sites_own_certificate_is_made_shown_and_replaced_only_when_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    for folder in ("config", "io_maps", "programs", "dbc"):
        shutil.copytree(DEMO / folder, tmp_path / "plant1" / folder)
    site = tmp_path / "plant1" / "config" / "site.yaml"
    assert "first start" in say(site, "certificate", "show", code=1).output
    say(site, "certificate", "new", "--host", "10.1.0.5", "--days", "30")
    shown = json.loads(say(site, "certificate", "show", "--json").stdout)
    assert "10.1.0.5" in shown["hosts"] and shown["uris"][0].endswith(":bessplc:demo") and "29 days" in shown["warning"]
    assert "--force" in say(site, "certificate", "new", code=1).output
    say(site, "certificate", "new", "--force")
    again = json.loads(say(site, "certificate", "show", "--json").stdout)
    assert again["fingerprint"] != shown["fingerprint"] and again["warning"] == ""
    assert again["fingerprint"] in say(site, "certificate", "show").stdout


def test_a_client_that_was_turned_away_is_trusted_by_the_start_of_its_fingerprint(site: Path, pki: Certificates) -> None:
    scada = made("scada")
    pki.judge(scada.der, purpose="client")
    listed = json.loads(say(site, "certificate", "list", "--json").stdout)
    fingerprint = listed["rejected"][0]["fingerprint"]
    assert listed["trusted"] == [] and "scada" in say(site, "certificate", "list").stdout
    assert "8 digits" in say(site, "certificate", "trust", fingerprint[:5], code=1).output
    assert fingerprint in say(site, "certificate", "trust", fingerprint[:11]).stdout
    assert pki.judge(scada.der, purpose="client").is_taken
    say(site, "certificate", "reject", fingerprint.replace(":", "").lower())
    assert pki.judge(scada.der, purpose="client").why == "untrusted"


def test_a_certificate_is_trusted_from_a_file_and_a_key_is_none(site: Path, pki: Certificates, tmp_path: Path) -> None:
    certificate, key = made("scada").write(tmp_path, "scada")
    say(site, "certificate", "trust", str(certificate))
    assert pki.judge(certificate.read_bytes(), purpose="client").is_taken
    assert "no certificate" in say(site, "certificate", "trust", str(key), code=1).output
