"""How passwords are kept: as scrypt hashes that carry their own parameters. It knows no users and no files."""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata

SHORTEST, LONGEST = 8, 256
COST, BLOCK, LANES = 15, 8, 3  # 2^15 * 8 * 128 bytes = 32 MiB, three times over: OWASP's password storage cheat sheet, scrypt
USUAL = f"scrypt${COST}${BLOCK}${LANES}"
MOST_MEMORY = 256 * 1024 * 1024


class PasswordError(ValueError):
    """A password that is not taken, and why."""


def check_password(password: str, name: str = "") -> None:
    """Refuse what is guessed in minutes. Raises PasswordError."""
    if len(password) < SHORTEST:
        raise PasswordError(
            f"a password has {SHORTEST} characters or more: shorter ones are guessed within hours once a hash is stolen"
        )
    if len(password) > LONGEST:
        raise PasswordError(f"a password has at most {LONGEST} characters: OPC UA clients send it in one encrypted block")
    if name and name.lower() in (password.lower(), password.lower()[::-1]):
        raise PasswordError("the password is the user's name: that is the first one anybody tries")
    if len(set(password)) < 3:
        raise PasswordError("the password is one or two characters repeated")


def hash_password(password: str, cost: int = COST, lanes: int = LANES) -> str:
    """The hash that stands in the users file: `scrypt$15$8$3$salt$digest`. A lower cost is for tests only."""
    salt = os.urandom(16)
    return f"scrypt${cost}${BLOCK}${lanes}${salt.hex()}${_scrypt(password, salt, cost, BLOCK, lanes).hex()}"


def is_hash(hashed: str) -> bool:
    """Whether this can be a hash of ours, with parameters that this machine can afford."""
    try:
        cost, block, lanes, salt, digest = _parts(hashed)
    except ValueError:
        return False
    affordable = 10 <= cost <= 20 and 1 <= block <= 32 and 1 <= lanes <= 16 and (128 * block << cost) <= MOST_MEMORY
    return affordable and len(salt) >= 8 and len(digest) == 32


def is_password(password: str, hashed: str) -> bool:
    """Whether the password has this hash; takes the same time either way."""
    cost, block, lanes, salt, digest = _parts(hashed)
    return hmac.compare_digest(_scrypt(password, salt, cost, block, lanes), digest)


def cost_of(hashed: str) -> str:
    """The parameters of a hash, so that a made-up one can be as slow as a real one."""
    return hashed.rsplit("$", 2)[0]


def nobodys(cost: str) -> str:
    """A hash with these parameters that no password has: what the password of an unknown user is compared with."""
    return f"{cost}${os.urandom(16).hex()}${os.urandom(32).hex()}"


def _parts(hashed: str) -> tuple[int, int, int, bytes, bytes]:
    kind, cost, block, lanes, salt, digest = hashed.split("$")
    if kind != "scrypt":
        raise ValueError(kind)
    return int(cost), int(block), int(lanes), bytes.fromhex(salt), bytes.fromhex(digest)


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    secret = unicodedata.normalize("NFC", password).encode(
        "utf-8", "surrogatepass"
    )  # RFC 8265, 4.2: one Mac's "ü" is two characters
    return hashlib.scrypt(secret, salt=salt, n=1 << cost, r=block, p=lanes, maxmem=2 * MOST_MEMORY, dklen=32)
