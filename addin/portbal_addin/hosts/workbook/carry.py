"""What the engine is asked to evaluate for a formula, and which portbal calls are in it.

A formula becomes an Expression: text of the engine's, with holes for what is computed
elsewhere. A portbal call becomes a PortbalCall, whose arguments are areas, literals, other
calls, or expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portbal.errors import NotAvailable
from portbal_addin import literals
from portbal_addin.block import Block
from portbal_addin.hosts.workbook import shapes
from portbal_addin.hosts.workbook.content import (
    Argument,
    Expression,
    Missing,
    PortbalCall,
    Spill,
)
from portbal_addin.hosts.workbook.lexer import Token
from portbal_addin.hosts.workbook.names import Names, addresses, declaration, resolved
from portbal_addin.hosts.workbook.references import (
    LAST_COLUMN,
    LAST_ROW,
    MOST_CELLS,
    Area,
    Spot,
    quoted,
)
from portbal_addin.hosts.workbook.tree import Call, Group, Nodes, Ref, leaves, unwrapped

# Not in the engine, or about the world outside the workbook.
_NOT_CARRIED = frozenset(
    "AGGREGATE CALL CELL CUBEKPIMEMBER CUBEMEMBER CUBEMEMBERPROPERTY CUBERANKEDMEMBER CUBESET "
    "CUBESETCOUNT CUBEVALUE DETECTLANGUAGE EUROCONVERT FILTERXML FORMULATEXT GETPIVOTDATA GROUPBY "
    "IMAGE INFO ISFORMULA PHONETIC PIVOTBY PY REGISTER.ID RTD SHEET SHEETS STOCKHISTORY TRANSLATE "
    "TRIMRANGE WEBSERVICE".split()
)
_RANDOM = frozenset({"RAND", "RANDBETWEEN", "RANDARRAY"})
_DATES = frozenset(
    "DATE DATEVALUE DAY DAYS360 EDATE EOMONTH ISOWEEKNUM MONTH NETWORKDAYS NETWORKDAYS.INTL TEXT "
    "WEEKDAY WEEKNUM WORKDAY WORKDAY.INTL YEAR YEARFRAC DATEDIF".split()
)
_TEXT = "portbaltext"
_ROOM = 1000  # rows and columns that results may grow into


@dataclass(frozen=True)
class Reader:
    """Turns formulas of one workbook into expressions. titles: how the engine calls the
    sheets. used: the last row and column of each
    sheet. now: the serial number that NOW() has in this run. lambdas: the engine may have
    LAMBDA, which can break it."""

    names: Names
    titles: tuple[str, ...]
    used: tuple[tuple[int, int], ...]
    now: float
    date1904: bool = False
    lambdas: bool = True

    def carried(self, formula: str, spot: Spot, *, array: bool) -> Expression | PortbalCall:
        """NotAvailable where the engine cannot carry the formula. array: it is an array
        formula, of either sort."""
        nodes = unwrapped(resolved(formula, spot, self.names))
        if not array:
            nodes = shapes.of_this_row(nodes, spot)
        writer = _Writer(self, spot)
        if len(nodes) == 1 and isinstance(nodes[0], Call) and nodes[0].portbal is not None:
            return writer.portbal(nodes[0], _Scope())
        expression = Expression()
        writer.write(nodes, expression, _Scope())
        return expression


@dataclass(frozen=True)
class _Scope:
    """The names declared around a node. bound: by LET, in order, with what they stand for;
    free: parameters of LAMBDA, which have no value outside of it."""

    bound: tuple[tuple[str, Nodes], ...] = ()
    free: frozenset[str] = frozenset()

    def with_bound(self, name: str, nodes: Nodes) -> _Scope:
        return _Scope((*self.bound, (name, nodes)), self.free - {name})

    def with_free(self, names: frozenset[str]) -> _Scope:
        kept = tuple((name, nodes) for name, nodes in self.bound if name not in names)
        return _Scope(kept, self.free | names)

    @property
    def arrays(self) -> frozenset[str]:
        """The names that may stand for more than one value."""
        found: frozenset[str] = frozenset()
        for name, nodes in self.bound:
            if shapes.is_array(nodes, found):
                found |= {name}
        return found

    def meaning(self, nodes: Nodes) -> Nodes:
        """What a lone name stands for, when that is an area, a literal or a portbal call."""
        plain = unwrapped(nodes)
        name = declaration(plain)
        for bound, value in reversed(self.bound):
            if bound == name:
                inner = unwrapped(value)
                simple = len(inner) == 1 and (
                    isinstance(inner[0], Ref)
                    or (isinstance(inner[0], Token) and inner[0].kind != "name")
                    or (isinstance(inner[0], Call) and inner[0].portbal is not None)
                )
                return inner if simple else nodes
        return plain


class _Writer:
    def __init__(self, reader: Reader, spot: Spot) -> None:
        self._reader = reader
        self._spot = spot

    # --- portbal calls -------------------------------------------------------------------

    def portbal(self, call: Call, scope: _Scope) -> PortbalCall:
        arguments = [self._argument(nodes, scope) for nodes in call.arguments]
        return PortbalCall(str(call.portbal), self._spot, arguments)

    def _argument(self, nodes: Nodes, scope: _Scope) -> Argument:
        plain = scope.meaning(nodes)
        if not plain:
            return Missing()
        if len(plain) == 1:
            only = plain[0]
            if isinstance(only, Ref):
                return only.area
            if isinstance(only, Call) and only.portbal is not None:
                return self.portbal(only, scope)
        spill = _spill(plain)
        if spill is not None:
            return Spill(spill)
        literal = _literal(plain)
        return literal if literal is not None else self._apart(plain, scope)

    def _apart(self, nodes: Nodes, scope: _Scope) -> Expression:
        """An expression by itself, with the LET bindings that it needs around it."""
        used = {leaf.text for leaf in leaves(nodes)
                if isinstance(leaf, Token) and leaf.kind == "name"}
        if used & scope.free:
            raise NotAvailable(
                "an argument depends on a parameter of LAMBDA", fix="Write one formula a cell."
            )
        expression = Expression()
        needed: list[tuple[str, Nodes]] = []
        for name, value in reversed(scope.bound):
            if name in used:
                needed.insert(0, (name, value))
                used |= {leaf.text for leaf in leaves(value)
                         if isinstance(leaf, Token) and leaf.kind == "name"}
        inner = _Scope(free=scope.free)
        for name, value in needed:
            expression.parts.append(f"LET({name},")
            self.write(value, expression, inner)
            expression.parts.append(",")
            inner = inner.with_bound(name, value)
        self.write(nodes, expression, inner)
        expression.parts.append(")" * len(needed))
        return expression

    # --- what the engine evaluates --------------------------------------------------------

    def write(self, nodes: Nodes, onto: Expression, scope: _Scope) -> None:
        """Append the text of these nodes."""
        clamped = shapes.has_operators(nodes)
        at = 0
        while at < len(nodes):
            node = nodes[at]
            after = nodes[at + 1] if at + 1 < len(nodes) else None
            if isinstance(after, Token) and after.text == ":" and after.kind == "operator":
                raise NotAvailable("it computes a corner of an area", fix="Use OFFSET or INDEX.")
            if isinstance(node, Ref):
                if isinstance(after, Token) and after.text == "#":
                    onto.parts.append(Spill(node.area.first))
                    at += 1
                else:
                    self._area(self._clamped(node.area) if clamped else node.area, onto)
            elif isinstance(node, Token):
                if node.text == "#" and node.kind == "operator":
                    raise NotAvailable("it uses # on a result", fix="Name the cell.")
                if node.text == "@" and node.kind == "operator" and after is not None:
                    self._single(Call("SINGLE", ((after,),)), onto, scope)
                    at += 1
                else:
                    onto.parts.append(node.text)
            elif isinstance(node, Group):
                applied = at > 0 and isinstance(nodes[at - 1], (Call, Group))
                if len(node.arguments) != 1 and not applied:
                    raise NotAvailable("it joins several areas", fix="Stack them with VSTACK.")
                self._list("(", node.arguments, onto, scope)
            else:
                self._call(node, onto, scope)
            at += 1

    def _area(self, area: Area, onto: Expression) -> None:
        rows, columns = self._reader.used[area.sheet]
        height = max(min(area.bottom, rows) - area.top + 1, 0)
        width = max(min(area.right, columns) - area.left + 1, 0)
        if height * width > MOST_CELLS:
            raise NotAvailable(f"it reads {height * width:,} cells", fix="Name the table alone.")
        onto.areas.append(area)
        onto.parts.append(self._address(area))

    def _clamped(self, area: Area) -> Area:
        """Of whole columns or rows in a computation the part that may be in use."""
        rows, columns = self._reader.used[area.sheet]
        if area.bottom == LAST_ROW:
            area = area._replace(bottom=max(area.top, min(rows + _ROOM, LAST_ROW)))
        if area.right == LAST_COLUMN:
            area = area._replace(right=max(area.left, min(columns + _ROOM, LAST_COLUMN)))
        return area

    def _list(
        self, opening: str, arguments: tuple[Nodes, ...], onto: Expression, scope: _Scope
    ) -> None:
        onto.parts.append(opening)
        for at, nodes in enumerate(arguments):
            if at:
                onto.parts.append(",")
            self.write(nodes, onto, scope)
        onto.parts.append(")")

    def _call(self, call: Call, onto: Expression, scope: _Scope) -> None:
        if call.portbal is not None:
            onto.parts.append(self.portbal(call, scope))
            return
        special = _SPECIAL.get(call.name)
        if special is not None:
            special(self, call, onto, scope)
            return
        self._refuse(call)
        arrays = scope.arrays
        lifted = shapes.by_element(call, arrays)
        if lifted is not None:
            self._by_element(call, *lifted, onto, scope)
        else:
            self._plain_call(call, onto, scope, arrays)

    def _by_element(
        self, call: Call, array: Nodes, each: Call, onto: Expression, scope: _Scope
    ) -> None:
        """A call for every element. MAP hands on the error of a single value instead of asking
        the function, so what may be one value is looked at first."""
        sure = shapes.is_surely_array(array)
        if not sure:
            onto.parts.append("IF(IFERROR(ROWS(")
            self.write(array, onto, scope)
            onto.parts.append(")*COLUMNS(")
            self.write(array, onto, scope)
            onto.parts.append("),1)=1,")
            self._plain_call(call, onto, scope, scope.arrays)
            onto.parts.append(",")
        onto.parts.append("MAP(")
        self.write(array, onto, scope)
        onto.parts.append(f",LAMBDA({shapes.ELEMENT},")
        inner = scope.with_free(frozenset({shapes.ELEMENT}))
        self._plain_call(each, onto, inner, scope.arrays)
        onto.parts.append("))" if sure else ")))")

    def _plain_call(
        self, call: Call, onto: Expression, scope: _Scope, arrays: frozenset[str]
    ) -> None:
        onto.roams |= call.name == "OFFSET"
        onto.parts.append(f"{call.name}(")
        for at, nodes in enumerate(call.arguments):
            if at:
                onto.parts.append(",")
            if shapes.set_apart(call, at, arrays):
                onto.parts.append(self._apart(nodes, scope))
            elif not nodes and call.name == "SORT":
                onto.parts.append("1")
            else:
                self.write(nodes, onto, scope)
        onto.parts.append(")")

    def _refuse(self, call: Call) -> None:
        if call.name in _NOT_CARRIED:
            raise NotAvailable(f"{call.name} is not known to the engine",
                               fix="Recalculate it in a spreadsheet program.")
        if call.name in _RANDOM:
            raise NotAvailable("random numbers stay as they were stored",
                               fix="Recalculate it in a spreadsheet program for new ones.")
        if call.name in _DATES and self._reader.date1904:
            raise NotAvailable(f"{call.name} counts dates from 1900, this workbook from 1904",
                               fix="Recalculate it in a spreadsheet program.")

    # --- functions that are written in another way ------------------------------------------

    def _now(self, call: Call, onto: Expression, _scope: _Scope) -> None:
        now = self._reader.now
        onto.volatile = True
        onto.parts.append(repr(now if call.name == "NOW" else float(int(now))))

    def _textjoin(self, call: Call, onto: Expression, scope: _Scope) -> None:
        """The engine joins empty texts of areas even where they are to be left out."""
        skips = _literal(unwrapped(call.arguments[1])) if len(call.arguments) > 2 else None
        if skips is None or not skips.rows[0][0]:
            self._plain_call(call, onto, scope, scope.arrays)
            return
        onto.parts.append("TEXTJOIN(")
        self.write(call.arguments[0], onto, scope)
        onto.parts.append(",TRUE")
        for nodes in call.arguments[2:]:
            onto.parts.append(",")
            if shapes.is_array(nodes, scope.arrays):
                apart = self._apart(nodes, scope)
                apart.parts.insert(0, f"LET({_TEXT},TOCOL(")
                apart.parts.append(f'),FILTER({_TEXT},{_TEXT}<>"",""))')
                onto.parts.append(apart)
            else:
                self.write(nodes, onto, scope)
        onto.parts.append(")")

    def _place(self, call: Call, onto: Expression, scope: _Scope) -> None:
        """ROW() and COLUMN() of the cell in which the formula stands."""
        if call.arguments:
            self._plain_call(call, onto, scope, scope.arrays)
        else:
            onto.parts.append(str(self._spot.row if call.name == "ROW" else self._spot.column))

    def _choose(self, call: Call, onto: Expression, scope: _Scope) -> None:
        """CHOOSE({1,2},a,b) sets areas side by side."""
        chosen = unwrapped(call.arguments[0]) if call.arguments else ()
        block = _literal(chosen)
        if block is None or (block.height, block.width) == (1, 1):
            if shapes.is_array(chosen, scope.arrays):
                raise NotAvailable("CHOOSE of several values is not known to the engine",
                                   fix="Use HSTACK.")
            self._plain_call(call, onto, scope, scope.arrays)
            return
        places = [cell for row in block.rows for cell in row]
        if 1 not in (block.height, block.width) or not all(
            isinstance(cell, float) and 1 <= cell < len(call.arguments) for cell in places
        ):
            raise NotAvailable("CHOOSE chooses something else than its values", fix="Use HSTACK.")
        values = tuple(call.arguments[int(cell)] for cell in places)  # type: ignore[arg-type]
        self._list("HSTACK(" if block.height == 1 else "VSTACK(", values, onto, scope)

    def _indirect(self, call: Call, onto: Expression, scope: _Scope) -> None:
        """The engine reads addresses only, and those without a sheet on a sheet of its own."""
        names = self._reader.names
        if len(call.arguments) > 1 and _literal(unwrapped(call.arguments[1])) != Block.of(True):
            raise NotAvailable("INDIRECT of R1C1 addresses is not known to the engine",
                               fix="Use A1 addresses.")
        literal = _literal(unwrapped(call.arguments[0])) if call.arguments else None
        if literal is not None and isinstance(literal.rows[0][0], str):
            nodes = resolved(literal.rows[0][0], self._spot, names)
            if len(nodes) == 1 and isinstance(nodes[0], Ref):
                self._area(nodes[0].area, onto)
                return
        onto.roams = True
        onto.parts.append(f"LET({_TEXT},")
        self._list("(", call.arguments[:1], onto, scope)
        own = _text_literal(quoted(self._reader.titles[self._spot.sheet]) + "!")
        known = "".join(
            f",{_text_literal(name)},{_text_literal(self._address(area))}"
            for name, area in addresses(names, self._spot.sheet).items()
        )
        plain = f'IF(ISNUMBER(FIND("!",{_TEXT})),{_TEXT},{own}&{_TEXT})'
        switch = f"SWITCH(LOWER({_TEXT}){known},{plain})" if known else plain
        onto.parts.append(f",INDIRECT({switch}))")

    def _address(self, area: Area) -> str:
        return f"{quoted(self._reader.titles[area.sheet])}!{area.text}"

    def _let(self, call: Call, onto: Expression, scope: _Scope) -> None:
        onto.parts.append("LET(")
        pairs, result = call.arguments[:-1], call.arguments[-1] if call.arguments else ()
        for name_nodes, value in zip(pairs[::2], pairs[1::2], strict=False):
            name = declaration(name_nodes)
            if name is None:
                raise NotAvailable("LET declares something that is no name", fix="Type it again.")
            onto.parts.append(f"{name},")
            self.write(value, onto, scope)
            onto.parts.append(",")
            scope = scope.with_bound(name, value)
        self.write(result, onto, scope)
        onto.parts.append(")")

    def _lambda(self, call: Call, onto: Expression, scope: _Scope) -> None:
        if not self._reader.lambdas:
            raise NotAvailable("a LAMBDA of this workbook breaks the engine",
                               fix="Recalculate it in a spreadsheet program.")
        names = [declaration(nodes) for nodes in call.arguments[:-1]]
        if not call.arguments or None in names:
            raise NotAvailable("LAMBDA declares something that is no name", fix="Type it again.")
        inner = scope.with_free(frozenset(map(str, names)))
        self._list("LAMBDA(", call.arguments, onto, inner)

    def _anchor(self, call: Call, onto: Expression, _scope: _Scope) -> None:
        spill = _spill((call,))
        if spill is None:
            raise NotAvailable("it asks for the spill of a result", fix="Name the cell.")
        onto.parts.append(Spill(spill))

    def _single(self, call: Call, onto: Expression, scope: _Scope) -> None:
        nodes = unwrapped(call.arguments[0]) if call.arguments else ()
        if shapes.is_area(nodes):
            self.write(shapes.of_this_row(nodes, self._spot), onto, scope)
        else:
            onto.parts.append("INDEX(")
            self.write(nodes, onto, scope)
            onto.parts.append(",1,1)")


_SPECIAL: dict[str, Callable[[_Writer, Call, Expression, _Scope], None]] = {
    "NOW": _Writer._now, "TODAY": _Writer._now, "LET": _Writer._let, "LAMBDA": _Writer._lambda,
    "ANCHORARRAY": _Writer._anchor, "SINGLE": _Writer._single, "ROW": _Writer._place,
    "COLUMN": _Writer._place, "CHOOSE": _Writer._choose, "INDIRECT": _Writer._indirect,
    "TEXTJOIN": _Writer._textjoin,
}


def _spill(nodes: Nodes) -> Spot | None:
    """The anchor, when these are ``A1#`` in either spelling."""
    if len(nodes) == 2 and isinstance(nodes[0], Ref) and isinstance(nodes[1], Token):
        return nodes[0].area.first if nodes[1].text == "#" else None
    if len(nodes) == 1 and isinstance(nodes[0], Call) and nodes[0].name == "ANCHORARRAY":
        inner = unwrapped(nodes[0].arguments[0]) if nodes[0].arguments else ()
        if len(inner) == 1 and isinstance(inner[0], Ref):
            return inner[0].area.first
    return None


def _literal(nodes: Nodes) -> Block | None:
    """A number, with its sign and percent mark, a text, TRUE, FALSE, or an array of them."""
    if len(nodes) == 1 and isinstance(nodes[0], Call) and not nodes[0].arguments:
        return Block.of(nodes[0].name == "TRUE") if nodes[0].name in ("TRUE", "FALSE") else None
    if not all(isinstance(node, Token) for node in nodes):
        return None
    try:
        return literals.parse("".join(node.text for node in nodes if isinstance(node, Token)))
    except ValueError:
        return None


def _text_literal(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
