"""The sentence of every word that the language itself knows, for editors. The words themselves come from the checker.

It must not know shapes. A word of the checker that has no sentence here has no tooltip; a test names it.
"""

from __future__ import annotations

from collections.abc import Mapping

SITE: Mapping[str, str] = {
    "site": "The site's name (default: that of its folder).",
    "description": "One sentence about the site.",
    "include": "Files of which the site consists too, from its root: sections are joined, lists follow each other.",
    "constants": "Values by name, which `$name` stands for in all files of the site; a site's own win over included ones.",
    "tasks": "One clock; due tasks run in this order. The shortest interval is the base tick.",
    "io": "The devices: files of `io_maps/`, without `.yaml`.",
    "tags": "What the operator commands and what programs share. The tags of devices are declared in their io_maps.",
    "libraries": "Files with function blocks of your own that are not in `programs/`.",
    "channels": "The CAN buses, by the names that io_maps use.",
    "watchdog": "What happens after several late scans in a row.",
    "servers": "Who may look and write over the network; loopback only until `host:` says otherwise.",
    "sim": "Kept for the simulated plant, whose settings are in `config/plant.yaml`.",
    "authority": "The BOOL tag that is true in remote control: false, and SCADA and OPC UA may only read.",
    "overview": "The tags that `bessplc status` and the first page show.",
    "runtime": "The tags by which the programs and the runtime that runs them ask something of each other.",
}
SITE_RUNTIME: Mapping[str, str] = {
    "changes": "The BOOL that permits changes. While it is false a load is refused that makes an output jump or loses a value.",
    "refused": "The command (a pulse) that tells the programs of a load that was refused so: for an alarm.",
    "restart": "The BOOL that asks for a new start of the whole application: outputs go safe, retained values are kept.",
    "reboot": "The BOOL that asks for a reboot of the machine, where `bessplc run --reboot-command` allows it.",
}
TASK: Mapping[str, str] = {
    "interval": "How often it runs: a whole multiple of the shortest interval of all tasks.",
    "phase": "How long after the others it runs, a whole number of base ticks below its interval (default 0 ms).",
    "programs": "Its programs, in the order in which they run: files of `programs/`, without `.yaml`.",
    "text": "What the task is for.",
}
WATCHDOG: Mapping[str, str] = {
    "overruns": "How many late scans in a row are too many; 0 for no limit.",
    "then": "`safe`: safe outputs, and stop until a restart; `run`: go on.",
    "heartbeat": "How long the fieldbus waits for the scan before it writes the safe values itself (default 200 ms).",
}
CHANNEL: Mapping[str, str] = {
    "interface": "The python-can interface: `socketcan`, `slcan`, `pcan`, `kvaser` ...",
    "channel": "The interface's own name of the bus: `can0`, `/dev/ttyACM0`; `$RUN` is the run folder.",
    "bitrate": "The bit rate, such as `500 kbit/s`. SocketCAN's is set by the system.",
}
TAG: Mapping[str, str] = {
    "type": "BOOL, DINT, LINT, TIME or LREAL, or an array such as `LREAL[16]`.",
    "unit": "The unit of its values; wires convert by themselves.",
    "range": "`low..high` in its unit: writes beyond it are refused.",
    "default": "Its value at a cold start.",
    "retain": "`true` keeps the value over a restart.",
    "write": "The least role that may write it. Without it nobody but programs may.",
    "text": "What people read about it, on the HMI and in SCADA.",
    "pulse": "`true`: a write is true for exactly one run of each task that reads it, so a command cannot stick.",
    "names": "The texts of an enumeration: `[OFF, ON]` or `{0: OFF, 1: ON}`.",
}
FOR = "One entry for each value: `for: rack in 1..$racks`, and `{rack}` or `{rack - 1}` is filled in, also into its name."
PROGRAM: Mapping[str, str] = {
    "program": "The program's name: that of its file.",
    "description": "One sentence about the program.",
    "blocks": "The instances of function blocks, in data-flow order; a loop needs an explicit `last`.",
    "modes": "The first row whose `when` holds is the mode; the last has none. Every row gives every column: `modes.P` is a wire.",
    "sequences": "IEC SFC in words. `do` is true while its step is active (`.X`; its time `.T`); the first true `goto` wins.",
    "outputs": "The tags that the program writes: a tag has exactly one writer.",
    "alarms": "Limits of a value (`of`) or conditions (`when`), each with its severity.",
    "tests": "What the program must do: inputs over time and what is expected; `bessplc test` runs them.",
}
FUNCTION_BLOCK: Mapping[str, str] = {
    "function_block": "The name of a block made of blocks, used like any other of the catalogue.",
    "description": "One sentence about the block.",
    "inputs": "Its inputs, each with a type; one without a `default` must be wired.",
    "outputs": "Its outputs: an expression over its blocks each.",
    "blocks": "The instances inside it.",
}
FUNCTION_BLOCK_INPUT: Mapping[str, str] = {
    "type": TAG["type"],
    "unit": "The unit of its values; wires convert by themselves.",
    "default": "Its value where it is not wired.",
    "text": "What it is for.",
}
STEP: Mapping[str, str] = {
    "do": "BOOL tags that are true while the step is active.",
    "goto": "`step: condition`; the first that is true wins. `after 2 s` is true once the step has lasted so long.",
    "text": "What the step is for.",
}
ALARM: Mapping[str, str] = {
    "of": "The value that is watched: against limits, a setpoint, or how fast it may move.",
    "when": "The condition that raises it.",
    "H": "High: active above this value.",
    "HH": "Very high: active above this value.",
    "L": "Low: active below this value.",
    "LL": "Very low: active below this value.",
    "setpoint": "The value that it should have.",
    "deviation": "How far from the setpoint is too far; the limits are HIGH and LOW.",
    "settle": "No alarm for so long after the setpoint has changed.",
    "rise": "The fastest rise allowed: `1 K/s`; the limit is RISING.",
    "fall": "The fastest fall allowed, as a positive number; the limit is FALLING.",
    "filter": "Time constant of the filter before the rate (default 1 s).",
    "deadband": "How far the value, or the rate, must come back before the alarm goes.",
    "delay": "How long it must hold before the alarm is raised.",
    "off_delay": "How long it must be gone before the alarm goes: a value that chatters is one alarm.",
    "latch": "The alarm stays when its condition is gone, until this rises.",
    "suppress": "Suppressed by design while this is true: the state of the plant makes it meaningless.",
    "severity": "warning, error or critical (default warning), or one for each limit: `{H: warning, HH: critical}`.",
    "shelve": "The longest time for which an operator may shelve it (default 8 h; a critical one: never), or `never`.",
    "id": "The error id by which manuals and reports know it: `ERR_COMM_LOST`.",
    "source": "The part of the plant that it comes from.",
    "text": "What people read.",
}
DEVICE: Mapping[str, str] = {
    "for": "One file for many devices: `rack in 1..16`, and `{rack}` or `{(rack - 1) * 0x20}` in its values.",
    "device": "The device's name: its own tags are `device.NAME.state`, `device.NAME.lost` ...",
    "driver": "What it speaks; `bessplc drivers NAME` lists the words of a driver.",
    "stale": "How old an input may become before its `bad:` holds.",
    "timeout": "The device's own communication time-out, after which it falls back without our messages.",
    "suppress": "While this is true its own alarms (lost ...) are suppressed by design: it sleeps because it was told to.",
    "inputs": "The tags that the device gives.",
    "outputs": "The tags that the device takes.",
    "text": "What the device is, for alarms.",
    "description": "One sentence about the device.",
}
INPUT: Mapping[str, str] = {
    "initial": "Its value before the first message.",
    "bad": "What it becomes when it is stale: `hold` keeps the last value, a value takes its place.",
    "text": TAG["text"],
    "type": "The type of the tag, where the device does not say it.",
    "unit": "The unit of the value on the wire, after `scale`.",
    "stale": "How old it may become (default: the device's `stale`).",
    "names": TAG["names"],
}
OUTPUT: Mapping[str, str] = {
    "safe": "What is written when everything stops: a value, or `{value: false, after: 1 s}` to write it later than others, or "
    "`keep`: nothing is written and the device holds what it has.",
    "text": TAG["text"],
    "type": INPUT["type"],
    "unit": INPUT["unit"],
    "min": "The least value that is ever written.",
    "max": "The greatest value that is ever written.",
    "names": TAG["names"],
}
SERVERS: Mapping[str, str] = {
    "opcua": "OPC UA: every tag, the PLCopen picture of the programs, alarms, history.",
    "modbus": "Modbus TCP, TLS and serial: the register map for SCADA; `bessplc map` lists it.",
    "rest": "The HTTP API, the live stream and /metrics for Prometheus.",
    "hmi": "The web page for operators and engineers: overview, cells, alarms, trends, control, the running program.",
    "records": "Audit log, alarms and history, in SQLite files of the state folder.",
    "recorder": "The tape that `bessplc replay` runs again, and an incident file of the minutes before every trip.",
}
SETTING: Mapping[str, str] = {
    "host": "The address it listens on (default 127.0.0.1: only this machine).",
    "port": "The TCP port.",
    "clients": "How many connections there may be at once.",
    "allow": "The networks of clients that may connect: `10.1.0.0/24`, or a list of them.",
    "idle": "How long a connection may stay silent.",
    "opcua.anonymous": "What a client without a name may do (default viewer).",
    "opcua.security": "The least that a session needs: none, sign or encrypt.",
    "opcua.trust": "`list`: certificates of the folder `trusted/`; `any`: every certificate.",
    "opcua.every": "The publishing interval (default 100 ms).",
    "opcua.namespace": "The URI of our nodes (default `urn:bessplc:SITE`).",
    "opcua.certificate": "A certificate (PEM or DER) instead of the one made at first start; goes with `key`.",
    "opcua.key": "The key of `certificate`.",
    "opcua.users": "Users are not written here: `bessplc user add NAME --role ROLE`.",
    "modbus.port": "The TCP port (default 5020), or `none` for no plain TCP.",
    "modbus.tls": "Modbus/TCP Security: `true`, or `{port: 802, clients: required}`. The client's certificate has the role.",
    "modbus.serial": "Serial lines: `{port: /dev/ttyS1, unit: 5}`, or a list of them.",
    "modbus.map": "The register map: a file such as `io_maps/scada.yaml`, or `openplc`; left out, one is made and stays as it is.",
    "modbus.units": "The unit ids that it answers to, `any`, or each with a role.",
    "modbus.role": "What a client that may write is (default operator).",
    "modbus.write": "Who may write: networks, or each with its own role.",
    "modbus.clients_per_address": "How many connections one host may have.",
    "modbus.gaps": "A read across addresses without a tag: `refuse` (exception 02) or `zero`.",
    "modbus.bad": "What a bad tag shows where its register does not say: value, nan or exception.",
    "modbus.qualities": "Bits that say which tags are good, from here on: `discrete 10000`.",
    "modbus.heartbeat": "A register of our own that counts: `{register: input 60000, every: 1 s}`.",
    "modbus.expect": "A register that SCADA must keep changing: `{register: holding 60000, within: 5 s}`.",
    "rest.tls": "`false` is plain HTTP, for a host behind a proxy that does TLS.",
    "rest.anonymous": "What those without a token may do: none, or viewer to read.",
    "rest.metrics": "`open` lets Prometheus read without a token.",
    "rest.patience": "How long a request may take to arrive, or its answer to be fetched.",
    "hmi.tls": "`false` is plain HTTP, for this machine only or behind a proxy that does TLS.",
    "hmi.anonymous": "What those who did not log in may do: none, or viewer to look.",
    "hmi.names": "The host names by which browsers reach the page, beside this machine's own; other names are refused.",
    "hmi.panels": "The addresses of screens that stand at the plant: they command in local control too (default this machine).",
    "hmi.session": "How long a login lasts at the most (default 12 h).",
    "hmi.idle": "After how long without a touch somebody is logged out (default 30 min).",
    "hmi.dim": "After how long without a touch the screen dims (default 5 min; 0 never).",
    "hmi.patience": "How long a request may take to arrive, or its answer to be fetched.",
    "records.history": "The tags that are recorded: a list of tags and patterns, or each with words of its own.",
    "records.keep": "How long history is kept, such as `90 d`.",
    "records.size": "How large the history may become, such as `4 GB`.",
    "records.audit": "How long the audit log and the events are kept, such as `1 y`.",
    "records.every": "How often a number is looked at (default 1 s).",
    "records.at_least": "How often it is recorded even where it did not move.",
    "records.deadband": "How far it must move to be recorded: in its unit, or as a share of its range such as `0.1 %`.",
    "recorder.keep": "How long the tape is kept, such as `7 d`.",
    "recorder.size": "How large it may become, such as `10 GB`.",
    "recorder.before": "How much of the tape before a trip is kept in its incident file (default 10 min).",
    "recorder.after": "And how much after it (default 30 s).",
    "recorder.on": "BOOL tags that are a trip when they turn true, beside critical alarms and a scan that went safe.",
    "recorder.incidents": "How many incident files are kept (default 20).",
    "records.confirm": "`true`: an operator confirms what went, after the acknowledgement.",
}


def setting(server: str, word: str) -> str:
    """The sentence of a server's setting."""
    return SETTING.get(f"{server}.{word}", SETTING.get(word, ""))
