"""yaml-language-server as an editor drives it, over its standard input and output: what completes, what hovers, what is wrong."""

from __future__ import annotations

import itertools
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = Path(__file__).parents[1] / "clients/node_modules/yaml-language-server/bin/yaml-language-server"
PATIENCE = 30  # s
MARK = "|>"  # where the cursor stands in a text


def why_not() -> str:
    """Why there is no editor here; empty where there is one."""
    if shutil.which("node") is None:
        return "no node here"
    return "" if SERVER.exists() else f"no {SERVER.name} here: npm install in tests/clients"


class Editor:
    """One open language server. A text holds a mark where the cursor stands."""

    def __init__(self, process: subprocess.Popen[bytes], root: Path):
        self.root = root
        self._process = process
        self._numbers = itertools.count(1)
        self._heard: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        out = self._process.stdout
        assert out is not None
        while head := out.readline():
            length = int(head.split(b":")[1])
            while out.readline().strip():
                continue
            self._heard.put(json.loads(out.read(length)))

    def say(self, method: str, params: Any, **more: Any) -> None:
        """A message of ours."""
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def ask(self, method: str, params: Any) -> Any:
        """A request and its answer."""
        number = next(self._numbers)
        self.say(method, params, id=number)
        return self._wait(lambda m: m.get("id") == number and "method" not in m)["result"]

    def _wait(self, fits: Any) -> dict[str, Any]:
        while True:
            message = self._heard.get(timeout=PATIENCE)
            if "method" in message and "id" in message:  # the server asks: an editor without answers says null, once for each item
                items = message["params"].get("items", []) if isinstance(message.get("params"), dict) else []
                self._answer(message["id"], [self.settings.get(item.get("section")) for item in items] if items else None)
            if fits(message):
                return message

    def _answer(self, number: Any, result: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    settings: dict[str, Any] = {}

    def start(self, schemas: dict[str, Any], version: str = "1.2") -> None:
        """Say hello, and which schema is for which files, as `.vscode/settings.json` does."""
        yaml = {"schemas": schemas, "hover": True, "completion": True, "validate": True, "yamlVersion": version}
        self.settings = {"yaml": {**yaml, "schemaStore": {"enable": False}}}
        folder = {"uri": self.root.as_uri(), "name": "site"}
        capabilities = {
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}, "hover": {"contentFormat": ["markdown"]}}
        }
        self.ask(
            "initialize", {"processId": None, "rootUri": folder["uri"], "workspaceFolders": [folder], "capabilities": capabilities}
        )
        self.say("initialized", {})
        self.say("workspace/didChangeConfiguration", {"settings": self.settings})

    def open(self, name: str, text: str) -> tuple[dict[str, Any], list[str]]:
        """Open a text as this file: where its mark stands, and what the server says is wrong with it."""
        before, _, after = text.partition(MARK)
        plain, uri = before + after, (self.root / name).as_uri()
        lines = before.split("\n")
        self.say("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": plain}})
        said = self._wait(lambda m: m.get("method") == "textDocument/publishDiagnostics" and m["params"]["uri"] == uri)
        place = {"textDocument": {"uri": uri}, "position": {"line": len(lines) - 1, "character": len(lines[-1])}}
        return place, [f"{d['range']['start']['line'] + 1}: {d['message']}" for d in said["params"]["diagnostics"]]

    def close(self, name: str) -> None:
        """Close a text."""
        self.say("textDocument/didClose", {"textDocument": {"uri": (self.root / name).as_uri()}})


@contextmanager
def editor(root: Path) -> Iterator[Editor]:
    """A language server for the files of this folder."""
    command = ["node", str(SERVER), "--stdio"]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield Editor(process, root)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
