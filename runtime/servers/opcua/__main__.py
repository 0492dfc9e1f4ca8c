"""The OPC UA server process: `python -m runtime.servers.opcua` receives a ServiceOrder."""

import sys

from runtime.servers.opcua.server import open_server, prepare
from runtime.servers.service import run

if __name__ == "__main__":
    sys.exit(run(open_server, prepare))
