"""Reading a PDF in a process of its own, which has little memory and little time and then ends.

Some hundred bytes can make any reader of PDF work without end. Whoever sent them costs us one such process, and nothing
that serves others.
"""

import json
import resource
import subprocess
import sys
from base64 import b64decode, b64encode
from dataclasses import asdict
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workflows.memos.reading import Contents

# A memo takes a tenth of a second and 90 MB.
SECONDS: Final = 5
BYTES: Final = 512 * 1024 * 1024
# So many files are read at once by a process that serves pages; others wait a while.
AT_ONCE: Final = BoundedSemaphore(2)
SECONDS_TO_WAIT: Final = 15.0

_ROOT: Final = Path(__file__).resolve().parents[2]


class NotRead(Exception):
    """The file could not be read within its bounds."""


class TooMany(Exception):
    """Others have their files read now."""


def read_apart(pdf: bytes) -> "Contents":
    """What `reading.read` finds in the file. Raises NotRead, or TooMany where it had to wait too long."""
    if not AT_ONCE.acquire(timeout=SECONDS_TO_WAIT):
        raise TooMany
    try:
        # Nothing of our environment goes along: it holds passwords.
        child = subprocess.run(  # noqa: S603  # our own program, and the file goes in as its input
            [sys.executable, "-m", __name__],
            input=pdf,
            capture_output=True,
            cwd=_ROOT,
            env={},
            timeout=3 * SECONDS,
            check=True,
        )
        return _unpacked(json.loads(child.stdout))
    except (subprocess.SubprocessError, ValueError) as error:
        raise NotRead(repr(error)) from error
    finally:
        AT_ONCE.release()


def _unpacked(said: dict[str, object]) -> "Contents":
    from workflows.memos.reading import Contents, SealFound  # Slow to import.

    seal = said["seal"]
    if isinstance(seal, dict):
        said["seal"] = SealFound(**seal | {"certificate": b64decode(seal["certificate"])})
    return Contents(**said | {name: b64decode(str(said[name])) for name in ("record", "proof")})  # type: ignore[arg-type]


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    from workflows.memos.reading import read

    found = asdict(read(sys.stdin.buffer.read()))
    sys.stdout.write(json.dumps(found, default=lambda each: b64encode(each).decode()))


if __name__ == "__main__":
    _main()
