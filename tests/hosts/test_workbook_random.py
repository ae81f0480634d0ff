"""Random workbooks of native and portbal formulas, beside an evaluation of our own: each formula
is built together with the Python that gives its answer."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable

import pytest

from hosts.workbook_files import F, Value, stored, workbook
from portbal_addin.block import Block
from portbal_addin.hosts.workbook import recalculate
from portbal_addin.registry import Answer, find

BOOKS = int(os.environ.get("PORTBAL_BOOKS", "12"))
FORMULAS = 60
AREAS = ("P!$A$1:$C$13", "Prices", "P!A:C", "INDEX(P!A1:C13,0,0)", "OFFSET(P!A1,0,0,13,3)",
         "IF(TRUE,P!A1:C13)", 'INDIRECT("P!A1:C13")', "(P!A1:C13)",
         "_xlfn.VSTACK(P!A1:C5,P!A6:C13)")

Scalar = tuple[str, Callable[[], float]]


class Author:
    """Writes formulas into column A from row 1, each from cells above, with their values."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.cells: dict[str, Value | F] = {}
        self.values: list[float] = []
        self.prices: list[list[float | str]] = [["X", "Y", "Z"]]
        for _ in range(12):
            self.prices.append([round(self.rng.uniform(50, 150), 2) for _ in range(3)])

    def write(self) -> None:
        text, value = self.formula(2)
        row = len(self.values) + 1
        self.cells[f"A{row}"] = F(text)
        self.values.append(value())

    def formula(self, depth: int) -> Scalar:
        kinds = [self.number, self.cell]
        if depth:
            kinds = [self.operation, self.choice, self.total, self.floor, self.turnover, self.var,
                     self.failing, self.named, self.bound, self.indexed, self.within]
        return self.rng.choice(kinds)(depth - 1)

    def number(self, _depth: int = 0) -> Scalar:
        value = self.rng.choice([0.5, 2.0, -1.0, 0.25, 3.0, 10.0])
        return f"{value!r}".removesuffix(".0"), lambda: value

    def cell(self, _depth: int = 0) -> Scalar:
        if not self.values:
            return self.number()
        row = self.rng.randrange(len(self.values))
        value = self.values[row]
        return self.rng.choice([f"A{row + 1}", f"$A${row + 1}", f"Calc!A{row + 1}"]), lambda: value

    def operation(self, depth: int) -> Scalar:
        (a, x), (b, y) = self.formula(depth), self.formula(depth)
        sign = self.rng.choice("+-*")
        made = {"+": lambda: x() + y(), "-": lambda: x() - y(), "*": lambda: x() * y() / 100}
        text = f"({a}){sign}({b})"
        return (f"{text}/100" if sign == "*" else text), made[sign]

    def choice(self, depth: int) -> Scalar:
        (a, x), (b, y), (c, z) = (self.formula(depth) for _ in range(3))
        return f"IF({a}>{b},{c},{b})", lambda: z() if x() > y() else y()

    def total(self, _depth: int) -> Scalar:
        if len(self.values) < 2:
            return self.number()
        first = self.rng.randrange(len(self.values) - 1)
        last = self.rng.randrange(first + 1, min(len(self.values), first + 9))
        chosen = self.values[first:last + 1]
        above = math.fsum(value for value in chosen if value > 0) / 10
        area = f"A{first + 1}:A{last + 1}"
        return self.rng.choice([
            (f"SUM({area})/10", lambda: math.fsum(chosen) / 10),
            (f"MAX({area})", lambda: max(chosen)),
            (f"AVERAGE({area})", lambda: math.fsum(chosen) / len(chosen)),
            (f"SUMPRODUCT(({area}>0)*{area})/10", lambda: above),
            (f'SUMIF({area},">0")/10', lambda: above),
            (f"INDEX({area},2)", lambda: chosen[1]),
        ])

    def floor(self, depth: int) -> Scalar:
        a, x = self.formula(depth)
        return f"INT({a})", lambda: float(math.floor(x()))

    def weight(self, depth: int) -> Scalar:
        a, x = self.formula(depth)
        return f"MOD(ABS({a}),1)", lambda: math.fmod(abs(x()), 1)

    def turnover(self, depth: int) -> Scalar:
        w, x = self.weight(depth)
        text = (f'PORTBAL.TURNOVER(_xlfn.HSTACK({{"A";"B"}},_xlfn.VSTACK({w},1-{w})),'
                '{"A",0.5;"B",0.5})')
        return text, lambda: answer("TURNOVER", [["A", x()], ["B", 1 - x()]],
                                    [["A", 0.5], ["B", 0.5]])

    def var(self, _depth: int) -> Scalar:
        level = self.rng.choice([0.5, 0.7, 0.9])
        column = self.rng.randrange(3)
        weights = [["X", 0.0], ["Y", 0.0], ["Z", 0.0]]
        weights[column][1] = 1.0
        shown = ";".join(f'"{name}",{value:g}' for name, value in weights)
        area = self.rng.choice(AREAS)
        spelled = self.rng.choice(["PORTBAL.", "PORTBAL_", "_xldudf_PORTBAL_", "[1]!portbal_"])
        text = f"100*{spelled}VAR(PORTBAL.RETURNS({area}),{{{shown}}},{level})"
        returns = answer_rows("RETURNS", self.prices)
        return text, lambda: 100 * answer("VAR", returns, weights, level)

    def failing(self, depth: int) -> Scalar:
        a, x = self.formula(depth)
        return f"IFERROR(PORTBAL.TURNOVER(P!A1:B2)*2,{a})", x

    def named(self, depth: int) -> Scalar:
        a, x = self.formula(depth)
        return f"({a})*Rate", lambda: x() * 0.5

    def bound(self, depth: int) -> Scalar:
        (a, x), (b, y) = self.formula(depth), self.formula(depth)
        return (f"_xlfn.LET(_xlpm.u,{a},_xlpm.v,{b},(_xlpm.u+_xlpm.v)/2)",
                lambda: (x() + y()) / 2)

    def indexed(self, _depth: int) -> Scalar:
        row, column = self.rng.randrange(12), self.rng.randrange(3)
        above, below = self.prices[row + 1][column], self.prices[min(row + 2, 12)][column]
        if row == 11:
            return self.number()
        return (f"INDEX(PORTBAL.RETURNS({self.rng.choice(AREAS)}),{row + 2},{column + 1})",
                lambda: float(below) / float(above) - 1)

    def within(self, depth: int) -> Scalar:
        a, x = self.formula(depth)
        return (f"IF(AND({a}>-5,OR({a}<5,FALSE)),{a},5)", lambda: x() if -5 < x() < 5 else 5.0)


def answer_rows(name: str, *arguments: object) -> list[list[object]]:
    result = find(name).invoke(*map(Block.of, arguments))
    assert isinstance(result, Answer), result
    return [list(row) for row in result.block]


def answer(name: str, *arguments: object) -> float:
    found = answer_rows(name, *arguments)[0][0]
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize("seed", range(BOOKS))
def test_random_workbooks(seed: int) -> None:
    author = Author(seed)
    for _ in range(FORMULAS):
        author.write()
    prices = {f"{'ABC'[column]}{row}": value
              for row, values in enumerate(author.prices, start=1)
              for column, value in enumerate(values)}
    data = workbook({"Calc": author.cells, "P": prices},
                    names={"Prices": "P!$A$1:$C$13", "Rate": "0.5"})
    done = recalculate(data)
    assert not done.warnings
    values = stored(done.bytes)
    for row, expected in enumerate(author.values, start=1):
        formula = author.cells[f"A{row}"]
        assert values.get(f"A{row}") == pytest.approx(expected, rel=1e-9, abs=1e-9), formula
    assert recalculate(done.bytes).bytes == done.bytes
