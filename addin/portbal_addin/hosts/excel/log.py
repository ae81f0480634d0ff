"""The log that a ticket asks for: portbal.log in the user's .portbal folder.

Excel shows nothing of what the Python behind it prints.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from portbal.errors import UserError
from portbal_addin.registry import where

LOG = logging.getLogger("portbal")
NAME = "portbal.log"
_MOST_BYTES = 1_000_000


def keep_log(folder: Path) -> None:
    """From now on write what portbal logs to that folder as well; once is enough."""
    path = folder / NAME
    if any(getattr(handler, "baseFilename", "") == str(path.absolute())
           for handler in LOG.handlers):
        return
    with contextlib.suppress(OSError):  # then logging itself says what it cannot write
        folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_MOST_BYTES, backupCount=1, delay=True,
                                  encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)


def keep_log_in_excel() -> None:
    """Where Excel is, in the user's .portbal folder."""
    if sys.platform == "win32":
        keep_log(Path.home() / ".portbal")


class Logged:
    """A block whose bugs are logged before they go on; what a user can cure is no bug."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None: ...

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, UserError):
            LOG.error("%s failed\n%s", self.what, where(error))
