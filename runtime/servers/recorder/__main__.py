"""The recorder process: `python -m runtime.servers.recorder` receives a ServiceOrder."""

import sys

from runtime.servers.recorder.server import open_server
from runtime.servers.service import run

if __name__ == "__main__":
    sys.exit(run(open_server))
