"""Who may come in: the users file, passwords, tokens, certificates, and what happens to those who guess."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from runtime.servers import users as users_module
from runtime.servers.audit import Deed, Who, say
from runtime.servers.passwords import PasswordError, check_password, hash_password, is_hash, is_password
from runtime.servers.rest.callers import Callers
from runtime.servers.rest.settings import RestSettings
from runtime.servers.users import (
    Throttle,
    User,
    Users,
    UsersError,
    add_certificate,
    add_token,
    add_user,
    check_users,
    read_users,
    remove_certificate,
    remove_tokens,
    remove_user,
    set_password,
    set_role,
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


def test_the_panel_on_this_machine_is_not_locked_out_by_a_guesser_on_the_network(file: Path) -> None:
    users = Users(file)
    for n in range(9):
        users.by_password_now("eva", "guess", f"10.0.1.{n}:1")
    for panel in ("127.0.0.1:5000", "[::1]:5000", "::ffff:127.0.0.1"):
        assert users.by_password_now("eva", "volt-ampere", panel) == User("eva", "engineer")
    assert users.locked_out("eva", "10.9.9.9:1"), "nor is the guesser helped by those who come in"


@pytest.mark.parametrize(
    "peers",
    [[f"[2001:db8::{n:x}]:4000" for n in range(1, 6)], ["10.0.0.1:1", "::ffff:10.0.0.1", "[::ffff:10.0.0.1]:9"] * 2],
    ids=["a network of IPv6 has 2^64 addresses", "IPv4 in IPv6"],
)
def test_failures_are_counted_for_whom_they_belong_to(file: Path, peers: list[str]) -> None:
    users = Users(file)
    for n, peer in enumerate(peers):
        users.by_password_now(f"name{n}", "guess", peer)
    assert users.by_password_now("max.m", "guess", peers[0]) is None and users.locked_out("somebody", peers[-1])


def test_a_thousand_guesses_at_once_take_nobody_else_s_place_and_fill_no_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hash takes a fifth of a second: those of one address must not stand before the operator's."""
    path = tmp_path / "users.yaml"
    slow = hash_password("volt-ampere", cost=14, lanes=1)
    path.write_text(f"eva: {{role: operator, password: {slow}}}\n")
    path.chmod(0o600)
    users = Users(path)

    async def act() -> User | None:
        guesses = [asyncio.create_task(users.by_password("eva", "guess", f"10.0.0.1:{n}")) for n in range(1000)]
        await asyncio.sleep(0)
        found = await users.by_password("eva", "volt-ampere", "127.0.0.1:9")
        assert not any(await asyncio.gather(*guesses))
        return found

    assert asyncio.run(act()) == User("eva", "operator")
    assert capsys.readouterr().out.count("\n") <= 5


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
    assert users.still(User("max", "viewer"))


def test_whoever_came_in_by_what_is_worthless_now_is_out(file: Path, tmp_path: Path, clock: Any) -> None:
    """A password is changed, a token revoked, a certificate removed because somebody else may have it."""
    eva = made("eva")
    fingerprint = add_certificate(file, "eva", eva.write(tmp_path, "eva")[0])
    token, users = add_token(file, "eva", days=1), Users(file)
    inside = [users.by_password_now("eva", "volt-ampere", ""), users.by_token(token), users.by_certificate(eva.der)]
    changes = (
        lambda: set_password(file, "eva", "watt-second"),
        lambda: remove_tokens(file, "eva"),
        lambda: remove_certificate(file, "eva", fingerprint[:12]),
    )
    for n, change in enumerate(changes):
        assert [one is not None and users.still(one) for one in inside] == [False] * n + [True] * (3 - n)
        change()
        clock.now += 1.1
    assert not any(one is not None and users.still(one) for one in inside)
    assert users.by_token(token) is None and users.by_certificate(eva.der) is None


def test_a_stream_of_values_that_a_password_opened_ends_with_the_password_and_with_the_user(file: Path, clock: Any) -> None:
    callers = Callers(Users(file), RestSettings(), None)  # type: ignore[arg-type]
    eva, guest = Who("eva", "engineer", "10.0.0.1:9", CHEAP), Who("anonymous", "viewer", "10.0.0.1:9")
    assert callers.still("Basic ZXZh", eva) and callers.still("", guest)
    set_password(file, "eva", "watt-second")
    clock.now += 1.1
    assert not callers.still("Basic ZXZh", eva)
    eva = Who("eva", "engineer", "10.0.0.1:9", read_users(file, Report())["eva"].password)
    assert callers.still("Basic ZXZh", eva)
    remove_user(file, "eva")
    clock.now += 1.1
    assert not callers.still("Basic ZXZh", eva) and callers.still("", guest)


def test_what_let_somebody_in_is_shown_in_no_log_and_no_audit_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a password it is the hash, of a token its digest: whoever reads a log shall not get them to guess at."""
    eva = Users(file).by_password_now("eva", "volt-ampere", "")
    assert eva is not None and eva.proof == CHEAP
    who = Who(eva.name, eva.role, "10.0.0.1:9", eva.proof)
    deed = Deed("rest", who, "write", "hmi.p_set", "taken", True)
    say(deed)
    structlog.get_logger().info("seen", user=eva, who=who, deed=deed)
    shown = f"{eva!r} {who!r} {deed!r} {capsys.readouterr().out}"
    assert "eva" in shown and CHEAP[-16:] not in shown


def test_another_role_counts_and_ends_what_was_opened_with_the_old_one(file: Path, clock: Any) -> None:
    users = Users(file)
    eva = users.by_password_now("eva", "volt-ampere", "")
    set_role(file, "eva", "viewer")
    clock.now += 1.1
    assert eva is not None and not users.still(eva)
    assert users.by_password_now("eva", "volt-ampere", "") == User("eva", "viewer")
    with pytest.raises(UsersError, match="no role"):
        set_role(file, "eva", "boss")


def test_changes_at_the_same_time_are_all_made(file: Path) -> None:
    names = [f"user{n}" for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda name: add_user(file, name, "viewer"), names))
    assert set(read_users(file, Report())) == {"eva", "max", *names}


def test_a_link_to_the_users_file_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "users.yaml"
    link.symlink_to(file)
    add_user(link, "ida", "viewer")
    assert link.is_symlink() and "ida" in file.read_text() and [p.name for p in file.parent.iterdir()] == ["users.yaml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_user_that_runs_the_site(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    add_user(tmp_path / "users.yaml", "eva", "viewer")
    assert (tmp_path / "users.yaml").stat().st_uid == 1234


def test_names_that_differ_in_case_only_are_not_taken(file: Path) -> None:
    with pytest.raises(UsersError, match="`eva` already"):
        add_user(file, "Eva", "viewer")


@pytest.mark.parametrize("name", ["on", "null", "123", "1e3", "2026-01-01", "yes", "12.30"])
def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(file: Path, name: str) -> None:
    add_user(file, name, "viewer")
    assert name in read_users(file, Report())


def test_a_password_is_the_same_however_the_keyboard_makes_its_letters() -> None:
    """RFC 8265, 4.2: a Mac may send "u" and two dots for the one letter that others send."""
    assert is_password("fu\u0308nf-volt", hash_password("f\u00fcnf-volt", cost=10, lanes=1))


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
