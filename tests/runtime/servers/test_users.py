"""Who may come in: the users file, passwords, tokens, certificates, and what happens to those who guess."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.servers import users as users_module
from runtime.servers.passwords import PasswordError, check_password, hash_password, is_hash, is_password
from runtime.servers.users import (
    Throttle,
    User,
    Users,
    UsersError,
    add_certificate,
    add_token,
    add_user,
    check_users,
    remove_user,
    set_password,
)
from runtime.source import Report
from tests.aids.servers_pki import made

CHEAP = hash_password("volt-ampere", cost=10, lanes=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "users.yaml"
    path.parent.mkdir()
    path.write_text(f"eva: {{role: engineer, password: {CHEAP}}}\nmax: {{role: viewer}}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A monotonic clock that the test moves."""

    class Clock:
        now = 1000.0

        def monotonic(self) -> float:
            return self.now

    found = Clock()
    monkeypatch.setattr(users_module, "time", found)
    return found


# passwords


def test_a_hash_is_scrypt_as_rfc_7914_has_it_with_the_strength_that_owasp_asks() -> None:
    kind, cost, block, lanes, salt, digest = hash_password("volt-ampere").split("$")
    assert kind == "scrypt" and int(block) == 8 and len(bytes.fromhex(salt)) == 16
    # OWASP's password storage cheat sheet lists the equals: 2^17/1, 2^16/2, 2^15/3, 2^14/5, 2^13/10
    assert int(lanes) >= {17: 1, 16: 2, 15: 3, 14: 5, 13: 10}[int(cost)]
    again = hashlib.scrypt(b"volt-ampere", salt=bytes.fromhex(salt), n=2 ** int(cost), r=8, p=int(lanes), maxmem=2**28, dklen=32)
    assert again.hex() == digest


def test_a_hash_carries_its_own_parameters() -> None:
    assert is_password("volt-ampere", CHEAP) and not is_password("volt-amper", CHEAP)


@pytest.mark.parametrize(
    "text", ["", "secret", "scrypt$15$8$3$00$00", "md5$1$2$3$aa$bb", "scrypt$30$8$1$" + "00" * 16 + "$" + "00" * 32]
)
def test_what_is_no_hash_or_would_need_a_gigabyte_is_not_taken_for_one(text: str) -> None:
    assert not is_hash(text)


@pytest.mark.parametrize(
    ("password", "why"), [("1234567", "8"), ("eva.meier", "name"), ("aaaaaaaabb", "repeated"), ("x" * 300, "256")]
)
def test_a_password_that_is_guessed_at_once_is_refused_with_its_reason(password: str, why: str) -> None:
    with pytest.raises(PasswordError, match=why):
        check_password(password, "eva.meier")


# coming in


def test_a_user_comes_in_with_the_password_and_nobody_else_does(file: Path) -> None:
    users = Users(file)
    assert users.by_password_now("eva", "volt-ampere", "10.0.0.1:4000") == User("eva", "engineer")
    assert users.by_password_now("eva", "volt", "10.0.0.1:4000") is None
    assert users.by_password_now("eve", "volt-ampere", "10.0.0.1:4000") is None
    assert users.by_password_now("max", "", "10.0.0.1:4000") is None, "a user without a password has none, not an empty one"
    assert asyncio.run(users.by_password("eva", "volt-ampere", "10.0.0.1:4000")) == User("eva", "engineer")


def test_without_a_file_there_are_no_users(tmp_path: Path) -> None:
    assert Users("").is_empty() and Users(tmp_path / "users.yaml").is_empty()
    assert Users("").by_password_now("admin", "admin", "10.0.0.1") is None
    assert Users("").by_token("") is None


def test_an_unknown_name_takes_as_long_as_a_known_one(tmp_path: Path) -> None:
    add_user(tmp_path / "users.yaml", "eva", "operator", "volt-ampere")
    users = Users(tmp_path / "users.yaml")

    def seconds(name: str) -> float:
        started = time.process_time()
        users.by_password_now(name, "wrong", "10.0.0.1")
        return time.process_time() - started

    known, unknown = (statistics.median(seconds(name) for _ in range(2)) for name in ("eva", "nobody.at.all"))
    assert 0.5 < known / unknown < 2


def test_a_token_comes_in_until_its_day_and_only_its_hash_is_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = add_token(file, "max", days=30)
    assert token not in file.read_text() and hashlib.sha256(token.encode()).hexdigest() in file.read_text()
    assert len(token) >= 43, "256 bits"
    users = Users(file)
    assert users.by_token(token) == User("max", "viewer")
    assert users.by_token(token[:-1]) is None and users.by_token("") is None

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=31)

    monkeypatch.setattr(users_module, "datetime", Later)
    assert users.by_token(token) is None


def test_a_certificate_comes_in_while_it_is_valid(file: Path, tmp_path: Path) -> None:
    good, late = made("eva"), made("eva", ends=timedelta(minutes=-1))
    for one, name in ((good, "good"), (late, "late")):
        add_certificate(file, "eva", one.write(tmp_path, name)[0])
    users = Users(file)
    assert users.by_certificate(good.der) == User("eva", "engineer")
    assert users.by_certificate(late.der) is None
    assert users.by_certificate(made("eva").der) is None, "the same name and key, another certificate"
    with pytest.raises(UsersError, match="eva"):
        add_certificate(file, "max", tmp_path / "good.der")


# guessing


def test_after_five_failures_a_name_is_locked_out_for_longer_and_longer_up_to_five_minutes(clock: Any) -> None:
    throttle, waits = Throttle(), []
    for n in range(16):
        throttle.failed("eva", f"10.0.0.{n}")
        waits.append(throttle.wait("eva", "10.9.9.9"))
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    clock.now += 299
    assert throttle.wait("eva", "10.9.9.9") == 1
    clock.now += 2
    assert throttle.wait("eva", "10.9.9.9") == 0


def test_a_peer_that_tries_many_names_is_locked_out_whatever_its_port(file: Path, clock: Any) -> None:
    users = Users(file)
    for n in range(5):
        users.by_password_now(f"name{n}", "wrong", f"10.0.0.1:{4000 + n}")
    assert users.by_password_now("eva", "volt-ampere", "10.0.0.1:5000") is None
    assert users.by_password_now("eva", "volt-ampere", "10.0.0.2:5000") == User("eva", "engineer")
    clock.now += 1.1
    assert users.by_password_now("eva", "volt-ampere", "10.0.0.1:5000") == User("eva", "engineer")


def test_a_guesser_does_not_lock_out_the_operator_who_came_in_before(file: Path, clock: Any) -> None:
    users = Users(file)
    assert users.by_password_now("eva", "volt-ampere", "10.0.0.7:5000")
    for n in range(9):
        users.by_password_now("eva", "guess", f"10.0.1.{n}")
    assert users.by_password_now("eva", "volt-ampere", "10.0.2.1:1") is None
    assert users.by_password_now("eva", "volt-ampere", "10.0.0.7:6000") == User("eva", "engineer")


def test_the_tables_of_the_throttle_are_bounded() -> None:
    throttle = Throttle(most=100)
    for n in range(1000):
        throttle.failed(f"name{n}", f"peer{n}")
        throttle.succeeded(f"known{n}", f"good{n}")
    assert len(throttle._failures) <= 100 and len(throttle._known) <= 100


# the file


def test_the_file_is_private_and_changes_whole(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"
    add_user(path, "eva", "operator", "volt-ampere")
    first = path.stat().st_ino
    set_password(path, "eva", "watt-second")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.stat().st_ino != first, "written aside and renamed"
    assert Users(path).by_password_now("eva", "watt-second", "") == User("eva", "operator")
    assert [p.name for p in tmp_path.iterdir()] == ["users.yaml"]
    remove_user(path, "eva")
    assert Users(path).is_empty()


@pytest.mark.parametrize(
    ("name", "role", "says"),
    [("eva", "operator", "already"), ("e va", "operator", "name"), ("anonymous", "viewer", "name"), ("ida", "boss", "role")],
)
def test_a_user_that_cannot_be_added_is_told_why(file: Path, name: str, role: str, says: str) -> None:
    before = file.read_bytes()
    with pytest.raises(UsersError, match=says):
        add_user(file, name, role)
    assert file.read_bytes() == before


def test_a_changed_file_counts_within_a_second(file: Path, clock: Any) -> None:
    users = Users(file)
    eva = users.by_password_now("eva", "volt-ampere", "")
    assert eva is not None and users.still(eva)
    remove_user(file, "eva")
    clock.now += 1.1
    assert users.by_password_now("eva", "volt-ampere", "") is None and not users.still(eva)
    assert users.names() == ("max",)


def test_a_file_that_has_become_wrong_changes_nothing_and_is_told(
    file: Path, clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    users = Users(file)
    file.write_text("eva: {role: boss}\n")
    clock.now += 1.1
    assert users.by_password_now("eva", "volt-ampere", "") == User("eva", "engineer")
    assert f"{file}:1:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("eva: operator", 1, "role"),
        ("eva: {role: operator}\nmax: {role: boss}", 2, "role"),
        ("eva: {role: operator, pasword: x}", 1, "pasword"),
        ("eva: {role: operator, password: secret}", 1, "bessplc user password"),
        ("eva: {role: operator, tokens: [abc]}", 1, "sha256"),
        ("eva:\n  role: operator\n  certificates: [12:34]", 3, "SHA-256"),
        ("eva: {role: operator}\neva: {role: viewer}", 2, "eva"),
        ("- eva", 1, ""),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(file: Path, text: str, line: int, says: str) -> None:
    file.write_text(text)
    report = Report()
    check_users(file, file.parent.parent, report)
    problem = report.errors[0]
    assert (problem.at.file, problem.at.line) == ("config/users.yaml", line)
    assert says in " ".join((problem.message, problem.hint, *problem.help))
    with pytest.raises(UsersError, match=f":{line}:"):
        add_user(file, "ida", "viewer")


def test_a_file_that_others_may_read_is_a_warning(file: Path) -> None:
    os.chmod(file, 0o640)
    report = Report()
    assert set(check_users(file, file.parent.parent, report)) == {"eva", "max"}
    assert [(p.code, p.severity) for p in report.problems] == [("W921", "warning")]


def test_a_token_that_has_ended_is_dropped_when_another_is_made(file: Path) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    file.write_text(f"max: {{role: viewer, tokens: [{{sha256: {'ab' * 32}, until: {yesterday}}}]}}\n")
    add_token(file, "max", days=1)
    assert "abab" not in file.read_text()
