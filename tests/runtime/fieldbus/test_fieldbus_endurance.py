"""What must not end the fieldbus process, and what must not keep it: a bug in its periodic work, a thread that hangs."""

import asyncio
import subprocess
import sys
import textwrap

from runtime import child
from runtime.fieldbus.process import _repeat
from tests.aids.fieldbus_child import ROOT

HUNG = """
    import time
    from concurrent.futures import ThreadPoolExecutor
    import asyncio, structlog
    from runtime.fieldbus import process

    async def serve(order, supervisor):
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)
        ThreadPoolExecutor(1).submit(time.sleep, 600)
        structlog.get_logger().info("last words")
        {end}

    process.child.receive = lambda: None
    process.serve = serve
    process.main()
"""


def ending(end: str) -> subprocess.CompletedProcess[str]:
    """The process with two threads that hang, as a dead USB adapter leaves them."""
    script = textwrap.dedent(HUNG).format(end=end)
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_thread_that_hangs_keeps_neither_the_process_nor_its_exit_status():
    ended = ending("return frozenset({'rack'})")
    assert ended.returncode == child.EXIT_MISSED, ended.stderr
    assert "last words" in ended.stderr
    assert ending("return frozenset()").returncode == 0


def test_a_fieldbus_that_fails_says_why_and_ends():
    ended = ending("raise KeyError('a bug')")
    assert ended.returncode == 1 and "a bug" in ended.stderr and "Traceback" in ended.stderr


def test_periodic_work_goes_on_after_a_bug(capsys):
    calls = []

    def work():
        calls.append(1)
        if len(calls) == 2:
            raise TypeError("a bug in one turn")

    async def run():
        task = asyncio.create_task(_repeat(0.005, work))
        async with asyncio.timeout(10):
            while len(calls) < 5:
                await asyncio.sleep(0.005)
        task.cancel()

    asyncio.run(run())
    assert "a bug in one turn" in capsys.readouterr().out
