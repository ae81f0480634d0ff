"""Words that choose: the name of a method, and the options that go with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from portbal.errors import InputError
from portbal.labels import key, keys, nearest, shorten

T = TypeVar("T")

# an option's name -> the words it takes, the default first
Words = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Amount:
    """A number that an option takes: where it is left out, and the bounds it keeps."""

    default: float
    least: float
    most: float
    whole: bool = False


@dataclass(frozen=True)
class Chosen:
    """words, amounts: what each option of either kind is set to."""

    words: Mapping[str, str]
    amounts: Mapping[str, float]


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
            raise _unknown_option(option, known, argument)
        accepted = {key(w): w for w in known[name]}
        if key(word) not in accepted:
            raise InputError(
                f"the option {name} cannot be {shorten(word)}",
                fix=_instead(word, known[name]), argument=argument, row=option,
            )
        result[name] = accepted[key(word)]
    return result


def settings(
    given: Mapping[str, object] | None,
    words: Words,
    amounts: Mapping[str, Amount],
    *,
    argument: str = "options",
) -> Chosen:
    """The word or number chosen for each known option, its default where left out.

    InputError as `options`, and for a number outside its bounds.
    """
    numbers = {key(name): name for name in amounts}
    chosen = {name: amount.default for name, amount in amounts.items()}
    rest: dict[str, object] = {}
    for option, value in (given or {}).items():
        name = numbers.get(key(option))
        if name is None:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            rest[option] = f"{value:.15g}" if is_number else value
            if key(option) not in keys(words):
                raise _unknown_option(option, [*words, *amounts], argument)
        else:
            chosen[name] = _amount(option, value, amounts[name], argument)
    return Chosen(options(rest, words, argument=argument), chosen)


def _amount(option: str, value: object, amount: Amount, argument: str) -> float:
    bounds = f"Give a {'whole ' if amount.whole else ''}number from {amount.least:g} to " \
             f"{amount.most:g}."
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InputError(
            f"the option {option} cannot be {shorten(value)}", fix=bounds, argument=argument,
            row=option,
        )
    if not amount.least <= value <= amount.most or (amount.whole and value != int(value)):
        raise InputError(
            f"the option {option} cannot be {value:g}", fix=bounds, argument=argument, row=option
        )
    return float(value)


def _unknown_option(option: str, known: Iterable[str], argument: str) -> InputError:
    known = list(known)
    return InputError(
        f"there is no option {shorten(option)} here",
        fix=_instead(option, known) if known else "Leave the options out.",
        argument=argument, row=option,
    )


def _instead(word: object, words: Iterable[str]) -> str:
    words = list(words)
    close = nearest(word, words)
    listed = f"Use {', '.join(words)}."
    return listed if close is None else f"Did you mean '{close}'? {listed}"
