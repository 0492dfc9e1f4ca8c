"""Loads compiled kernels: from the cache, or compiled now, several at a time.

It knows block declarations and machine code. It must not know programs, tags or the scan.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blocks.declare import TYPES, BlockType, Type
from runtime.engine import cache
from runtime.engine.translate import kernel_source

Progress = Callable[[int, int, str], None]
KERNELS = Path("kernels")


@dataclass(frozen=True)
class Kernel:
    """A compiled block: `address` is a C function `void(void **columns, intp rows, intp n, int64 dt)`."""

    name: str
    address: int
    code: Any  # keeps the machine code alive


_loaded: dict[str, Kernel] = {}


def kernel_name(block: BlockType, chosen: Type | None) -> str:
    return f"{block.name}_{chosen.name}" if chosen else block.name


def load_kernel(block: BlockType, chosen: Type | None = None) -> Kernel:
    """The kernel of a block, compiled if the cache has none."""
    return load_kernels([(block, chosen)])[kernel_name(block, chosen)]


def load_kernels(wanted: Iterable[tuple[BlockType, Type | None]], progress: Progress | None = None) -> dict[str, Kernel]:
    """Every wanted kernel by name. What the cache lacks is compiled on all cores first; `progress(done, of, name)` is told."""
    missing: dict[str, tuple[BlockType, Type | None]] = {}
    names = []
    for block, chosen in wanted:
        name = kernel_name(block, chosen)
        names.append(name)
        if name not in _loaded:
            missing[name] = (block, chosen)
    if missing:
        modules = {name: _written(name, kernel_source(block, chosen)) for name, (block, chosen) in missing.items()}
        _compile_together({n: m for n, m in modules.items() if not _is_compiled(m)}, progress)
        for name, path in modules.items():
            module = _import(path)
            _loaded[name] = Kernel(name, module.kernel.address, module)
    return {name: _loaded[name] for name in names}


def uncached(wanted: Iterable[tuple[BlockType, Type | None]]) -> list[str]:
    """The names of the wanted kernels that would have to be compiled."""
    unique = {kernel_name(b, c): (b, c) for b, c in wanted}
    return [name for name, (b, c) in unique.items() if name not in _loaded and not _is_compiled(_place(name, kernel_source(b, c)))]


def chosen_of(name: str) -> Type | None:
    """The type by its name, None for the empty name of a block that is not declared over ANY."""
    return TYPES[name] if name else None


def _place(name: str, source: str) -> Path:
    return cache.folder() / KERNELS / f"{name}_{cache.digest(source)}.py"


def _written(name: str, source: str) -> Path:
    path = _place(name, source)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        cache.write_aside(path, source)
    return path


def _is_compiled(path: Path) -> bool:
    return path.with_suffix(".done").exists()


def _import(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # numba finds a cached function's module by name
    with cache.kept_in(cache.BESIDE_THE_SOURCE):
        spec.loader.exec_module(module)
    return module


def _compile_here(path: Path) -> None:
    """Compile one kernel into the cache; the mark beside it says that it is whole."""
    _import(path)
    cache.write_aside(path.with_suffix(".done"), "")


def _compile_together(modules: dict[str, Path], progress: Progress | None) -> None:
    """Compile in child processes, one a core; few kernels are compiled here."""
    todo = list(modules.items())
    total = len(todo)
    workers = min(os.cpu_count() or 1, total // 2)
    if workers < 2:
        for done, (name, path) in enumerate(todo, 1):
            _compile_here(path)
            if progress:
                progress(done, total, name)
        return
    children = [_spawn([path for _, path in todo[i::workers]]) for i in range(workers)]
    _follow(children, {path.stem: name for name, path in todo}, progress)


def _spawn(paths: list[Path]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "runtime.engine.kernels", *map(str, paths)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def _follow(children: list[subprocess.Popen[str]], names: dict[str, str], progress: Progress | None) -> None:
    import selectors

    done = 0
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.stdout, selectors.EVENT_READ, child)  # type: ignore[arg-type]
        while selector.get_map():
            for key, _ in selector.select():
                line = key.fileobj.readline().strip()  # type: ignore[union-attr]
                if not line:
                    selector.unregister(key.fileobj)
                    continue
                done += 1
                if progress:
                    progress(done, len(names), names[line])
    for child in children:
        if child.wait() != 0:
            raise RuntimeError(f"compiling kernels failed with exit code {child.returncode}; its message is above")


def main() -> None:
    """Compile the kernel files named on the command line, and print each when it is done."""
    for argument in sys.argv[1:]:
        path = Path(argument)
        _compile_here(path)
        try:
            print(path.stem, flush=True)
        except BrokenPipeError:  # who asked is gone; what is compiled stays for the next
            sys.stdout = None  # else the interpreter's last flush would complain
            return


if __name__ == "__main__":
    main()
