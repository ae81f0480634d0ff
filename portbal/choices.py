"""Words that choose: the name of a method, and the options that go with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from portbal.errors import InputError
from portbal.labels import key, nearest, shorten

T = TypeVar("T")

# an option's name -> the words it takes, the default first
Words = Mapping[str, tuple[str, ...]]


def one_of(word: str, table: Mapping[str, T], *, argument: str) -> T:
    """What ``table`` has under ``word``, whatever its case; InputError lists what there is."""
    for name, value in table.items():
        if key(name) == key(word):
            return value
    raise InputError(
        f"there is no {argument} {shorten(word)}", fix=_instead(word, table), argument=argument
    )


def options(
    given: Mapping[str, object] | None, known: Words, *, argument: str = "options"
) -> dict[str, str]:
    """The word chosen for each known option, its default where left out.

    given    option -> word; InputError (with the nearest name) for an option that is not
             known here and for a word that the option does not take
    """
    by_key = {key(name): name for name in known}
    result = {name: words[0] for name, words in known.items()}
    for option, word in (given or {}).items():
        name = by_key.get(key(option))
        if name is None:
            raise InputError(
                f"there is no option {shorten(option)} here",
                fix=_instead(option, known) if known else "Leave the options out.",
                argument=argument, row=option,
            )
        accepted = {key(w): w for w in known[name]}
        if key(word) not in accepted:
            raise InputError(
                f"the option {name} cannot be {shorten(word)}",
                fix=_instead(word, known[name]), argument=argument, row=option,
            )
        result[name] = accepted[key(word)]
    return result


def _instead(word: object, words: Iterable[str]) -> str:
    words = list(words)
    close = nearest(word, words)
    listed = f"Use {', '.join(words)}."
    return listed if close is None else f"Did you mean '{close}'? {listed}"
