"""The Modbus server process: `python -m runtime.servers.modbus` receives a ServiceOrder."""

import sys

from runtime.servers.modbus.server import open_server
from runtime.servers.service import run

if __name__ == "__main__":
    sys.exit(run(open_server))
