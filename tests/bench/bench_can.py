"""What a CAN frame costs: the decode kernel on a batch, against cantools on the same frames, turn by turn."""

from __future__ import annotations

import random
from pathlib import Path

from cantools.database import Database
from cantools.database.can import Message
from cantools.database.errors import DecodeError

from runtime.fieldbus.can_kernel import decode, scratch
from runtime.fieldbus.can_rules import LAWS, AliveRule, CrcRule, MessageRules, put_crc
from runtime.fieldbus.can_tables import Bits, put_bits
from runtime.fieldbus.can_wire import BATCH
from tests.aids.fieldbus import ROOT
from tests.aids.fieldbus_codec import Reader, batch_of, database, key_of, map_all, reader
from tests.bench.measure import Result, alternate, alternate_ratio, ns_per_call

LEAST_RATE = 3e6  # frames/s
LEAST_RATIO = 15
FOREIGN = 0x600  # identifiers from here on are nobody's in dbc/rack.dbc


def frames_of(known: Database, seed: int = 1) -> list[tuple[int, bytes]]:
    """A batch of the messages that the rack sends, in turn, with any content."""
    chance = random.Random(seed)
    sent = [message for message in known.messages if "BMS" in message.senders]
    return [(key_of(m), content(m, chance)) for m in (sent[i % len(sent)] for i in range(BATCH))]


def content(message: Message, chance: random.Random) -> bytes:
    """Any bytes, but with selectors that the DBC knows: cantools refuses others before it decodes."""
    while True:
        data = chance.randbytes(message.length)
        try:
            message.decode(data, decode_choices=False)
        except DecodeError:
            continue
        return data


class Kernel:
    """The kernel on one batch, without the copies from Python."""

    def __init__(self, reading: Reader, frames: list[tuple[int, bytes]]):
        batch, cells = batch_of(frames), reading.cells
        columns = (cells.lreal, cells.integer, cells.quality, cells.time)
        arguments = (
            batch.keys,
            batch.data,
            batch.lengths,
            batch.times,
            batch.count,
            reading.tables,
            reading.watch,
            columns,
            scratch(),
        )
        self.count, self.taken = len(frames), decode(*arguments)
        self._call = lambda: decode(*arguments)

    def ns(self) -> float:
        """Nanoseconds of processor time for one frame."""
        return ns_per_call(self._call) / self.count


def cantools_ns(known: Database, frames: list[tuple[int, bytes]]) -> float:
    some = frames[: len(frames) // 8]

    def decode_all() -> None:
        for key, data in some:
            known.decode_message(key, data, decode_choices=False)

    return ns_per_call(decode_all) / len(some)


def agree(known: Database, reading: Reader, slots: dict[str, tuple[int, ...]], frames: list[tuple[int, bytes]]) -> None:
    """Both sides must decode the same: a comparison of different work is worth nothing."""
    for key, data in frames[:200]:
        reading.read([(key, data)])
        message = known.get_message_by_frame_id(key)
        for name, value in message.decode(data, decode_choices=False).items():
            slot = slots[f"{message.name}.{name}"][0]
            ours = {float(reading.cells.lreal[slot]), float(reading.cells.integer[slot])}
            assert float(value) in ours or reading.cells.quality[slot], f"{message.name}.{name}: {ours} here, {value} in cantools"


CRC = CrcRule(Bits(7, 1, 0, 8), LAWS["sae_j1850"], before=b"\x3a")
ALIVE = AliveRule(Bits(6, 1, 0, 4), 16)


def all_rules(names: tuple[str, ...]) -> dict[str, MessageRules]:
    """Every rule at once for every message."""
    return {name: MessageRules(name, 100_000_000, 5_000_000, 300_000_000, ALIVE, CRC) for name in names}


def ruled_frames(frames: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The frames with a count and a CRC, so that all rules are gone through and most frames are taken."""
    counts: dict[int, int] = {}
    found = []
    for key, data in frames:
        frame, counts[key] = bytearray(data), ALIVE.next(counts.get(key, 0))
        put_bits(frame, ALIVE.bits, counts[key])
        put_crc(frame, CRC)
        found.append((key, bytes(frame)))
    return found


def run() -> list[Result]:
    known = database((ROOT / "dbc" / "rack.dbc").read_text(encoding="utf-8"))
    device = map_all("dbc/rack.dbc", Path(ROOT), known)
    plain, frames = reader(device), frames_of(known)
    agree(known, plain, device.slots, frames)
    ours = Kernel(plain, frames)
    assert ours.taken == BATCH
    per_frame, theirs, ratio = alternate_ratio(ours.ns, lambda: cantools_ns(known, frames))
    chance = random.Random(2)
    flood = Kernel(plain, [(FOREIGN + chance.randrange(0x200), bytes(8)) for _ in range(BATCH)])
    assert flood.taken == 0
    ruled = Kernel(reader(device, all_rules(plain.names)), ruled_frames(frames))
    assert ruled.taken > BATCH * 0.9
    foreign, checked = alternate([flood.ns, ruled.ns])
    return [
        Result("CAN: decode of one frame, batch", per_frame, "ns", 1e9 / LEAST_RATE),
        Result("CAN: frames decoded in a second, batch", 1e9 / per_frame, "/s"),
        Result("CAN: decode of one frame with cantools", theirs, "ns"),
        Result(f"CAN: ours / cantools (at least {LEAST_RATIO} times faster)", ratio, "x", 1 / LEAST_RATIO),
        Result("CAN: cantools / ours", 1 / ratio, "x"),
        Result("CAN: decode of one frame with all rules (CRC, alive, cycle), batch", checked, "ns"),
        Result("CAN: a frame of nobody in a flood of them", foreign, "ns"),
        Result("CAN: call of the kernel for a batch of one frame", Kernel(plain, frames[:1]).ns(), "ns"),
    ]
