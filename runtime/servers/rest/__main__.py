"""The REST server process: `python -m runtime.servers.rest` receives a ServiceOrder."""

import sys

from runtime.servers.rest.server import open_server
from runtime.servers.service import run

if __name__ == "__main__":
    sys.exit(run(open_server))
