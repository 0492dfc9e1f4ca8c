"""How a connection to a Modbus device comes about."""

import asyncio
from typing import Any

import pytest

from runtime.fieldbus.modbus_errors import LostError
from runtime.fieldbus.modbus_settings import LineSettings
from runtime.fieldbus.modbus_transport import Aside, open_wire
from tests.aids.site import free_ports


def test_a_connection_that_came_back_to_itself_is_no_device() -> None:
    """TCP's simultaneous open (RFC 9293, 3.5): who calls a free port of this machine from that very port reaches itself."""

    async def call(port: int) -> None:
        loop = asyncio.get_running_loop()
        create = loop.create_connection

        def from_that_port(*arguments: Any, **options: Any) -> Any:
            return create(*arguments, local_addr=("127.0.0.1", port), **options)

        loop.create_connection = from_that_port  # type: ignore[method-assign]
        await open_wire(LineSettings(host="127.0.0.1", port=port), Aside(), lambda *_: None, 2.0)

    with pytest.raises(LostError, match="came back to itself") as lost:
        asyncio.run(call(free_ports(1)[0]))
    assert lost.value.kind == "refused"
