"""Every ribbon command, defined once::

    @command(
        "check limits", label="Check limits", group="Risk", image="ReviewAcceptChange",
        tip="Every limit with its value, headroom and status.",
        about="Checks the target and the current weights. Writes TargetLimits, CurrentLimits.",
    )
    def check_limits(book: Book) -> Changes: ...

Hosts build their menus from what stands here, and nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from portbal.errors import InputError
from portbal.labels import key, shorten, suggestion
from portbal_addin.book import Book, Changes
from portbal_addin.registry import functions

GROUPS = ("Data", "Views", "Optimise", "Risk", "Rebalance", "Help")
MOST_IN_A_GROUP = 7
APPLY = "apply"  # the one command that carries a previewed trade out
_MOST_TIP, _MOST_ABOUT = 128, 1023
_MODULES = ("data", "views", "optimise", "risk", "stress", "monitor", "protection", "rebalance",
            "funding", "help", "journal")


@dataclass(frozen=True)
class Command:
    """name: words in lower case; image: the name of one of Office's own pictures (imageMso);
    screentip and supertip: the bold line and the text below it; trades: what it writes changes
    the holdings, so a host shows its preview before; needs: the functions without which it is
    not offered."""

    name: str
    label: str
    group: str
    screentip: str
    supertip: str
    image: str
    trades: bool
    run: Callable[[Book], Changes]
    needs: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """The name where spaces are not allowed: ``check_limits``."""
        return self.name.replace(" ", "_")


_COMMANDS: dict[str, Command] = {}


def command(
    name: str, *, label: str, group: str, image: str, tip: str, about: str,
    trades: bool = False, needs: tuple[str, ...] = (),
) -> Callable[[Callable[[Book], Changes]], Callable[[Book], Changes]]:
    """Register a command. What hosts cannot show is refused at once."""
    if group not in GROUPS:
        raise ValueError(f"{name}: there is no group {group}")
    if name in _COMMANDS or not name.replace(" ", "").isalpha() or name != name.lower():
        raise ValueError(f"{name}: a name is of words in lower case, and used once")
    if not (0 < len(tip) <= _MOST_TIP and 0 < len(about) <= _MOST_ABOUT):
        raise ValueError(f"{name}: its tips are empty or too long")
    if sum(c.group == group for c in _COMMANDS.values()) == MOST_IN_A_GROUP:
        raise ValueError(f"{name}: the group {group} is full")

    def register(run: Callable[[Book], Changes]) -> Callable[[Book], Changes]:
        _COMMANDS[name] = Command(name, label, group, tip, about, image, trades, run, needs)
        return run

    return register


@cache
def commands() -> dict[str, Command]:
    """Every command whose functions exist, by name, in the order of groups and modules, in
    whichever order these are imported."""
    for module in _MODULES:
        importlib.import_module(f"portbal_addin.macros.{module}")
    found = [c for c in _COMMANDS.values() if all(name in functions() for name in c.needs)]
    modules = [f"portbal_addin.macros.{module}" for module in _MODULES]
    found.sort(key=lambda c: (GROUPS.index(c.group), modules.index(c.run.__module__)))
    return {c.name: c for c in found}


def find(words: str) -> Command:
    """The command of that name, or with that label; hyphens and underscores count as spaces."""
    wanted = key(words.replace("-", " ").replace("_", " "))
    for found in commands().values():
        if wanted in (found.name, key(found.label)):
            return found
    raise InputError(
        f"there is no command {shorten(words)}",
        fix=suggestion(wanted, commands(), f"Use one of {', '.join(commands())}."),
    )
