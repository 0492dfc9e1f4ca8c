"""The HMI process: `python -m hmi` receives a ServiceOrder."""

import sys

from hmi.server import open_server, prepare
from runtime.servers.service import run

if __name__ == "__main__":
    sys.exit(run(open_server, prepare))
