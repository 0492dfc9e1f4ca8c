"""The records process: `python -m runtime.servers.records` receives a ServiceOrder."""

import sys

from runtime.servers.records.server import open_server
from runtime.servers.service import run

if __name__ == "__main__":
    sys.exit(run(open_server))
