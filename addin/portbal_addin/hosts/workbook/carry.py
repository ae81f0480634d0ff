"""What the engine is asked to evaluate for a formula, and which portbal calls are in it.

A formula becomes an Expression: text of the engine's, with holes for what is computed
elsewhere. A portbal call becomes a PortbalCall, whose arguments are areas, literals, other
calls, or expressions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from portbal.errors import NotAvailable
from portbal_addin.block import Block
from portbal_addin.hosts.workbook import repairs, shapes
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
from portbal_addin.hosts.workbook.scope import Scope, literal, spill, text_literal
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
    sheets. used: the last row and column of each sheet. now: the serial number that NOW() has in
    this run. cells: what is known of the cells. lambdas: the engine may have LAMBDA, which can
    break it. apart: what is evaluated apart, by its text."""

    names: Names
    titles: tuple[str, ...]
    used: tuple[tuple[int, int], ...]
    now: float
    cells: repairs.Cells
    date1904: bool = False
    lambdas: bool = True
    apart: dict[str, Expression] = field(default_factory=dict)

    def carried(self, formula: str, spot: Spot, *, array: bool) -> Expression | PortbalCall:
        """NotAvailable where the engine cannot carry the formula. array: it is an array
        formula, of either sort."""
        nodes = unwrapped(resolved(formula, spot, self.names))
        if not array:
            nodes = shapes.of_this_row(nodes, spot)
        writer = _Writer(self, spot)
        if len(nodes) == 1 and isinstance(nodes[0], Call) and nodes[0].portbal is not None:
            return writer.portbal(nodes[0], Scope())
        if len(nodes) == 1 and isinstance(nodes[0], Ref):
            area = nodes[0].area
            if area.height * area.width > MOST_CELLS:
                raise NotAvailable(f"it fills {area.height * area.width:,} cells",
                                   fix="Let it fill fewer.")
        expression = Expression()
        writer.write(nodes, expression, Scope())
        return expression


class _Writer:
    def __init__(self, reader: Reader, spot: Spot) -> None:
        self._reader = reader
        self._spot = spot
        self._calls: dict[tuple[Call, Scope], PortbalCall] = {}
        self._expressions: dict[tuple[Nodes, Scope], Expression] = {}

    # --- portbal calls -------------------------------------------------------------------

    def portbal(self, call: Call, scope: Scope) -> PortbalCall:
        """The same call for the same nodes, however often they are written."""
        made = self._calls.get((call, scope))
        if made is None:
            arguments = [self._argument(nodes, scope) for nodes in call.arguments]
            made = self._calls[call, scope] = PortbalCall(
                str(call.portbal), self._spot, arguments)
        return made

    def _argument(self, nodes: Nodes, scope: Scope) -> Argument:
        plain = scope.meaning(nodes)
        if not plain:
            return Missing()
        if len(plain) == 1:
            only = plain[0]
            if isinstance(only, Ref):
                return only.area
            if isinstance(only, Call) and only.portbal is not None:
                return self.portbal(only, scope)
        anchor = spill(plain)
        if anchor is not None:
            return Spill(anchor)
        block = literal(plain)
        return block if block is not None else self._apart(plain, scope)

    def _apart(self, nodes: Nodes, scope: Scope) -> Expression:
        """An expression by itself, with the LET bindings that it needs around it; the same one
        for the same nodes."""
        made = self._expressions.get((nodes, scope))
        if made is None:
            made = self._expressions[nodes, scope] = self._set_apart(nodes, scope)
        return made

    def _set_apart(self, nodes: Nodes, scope: Scope) -> Expression:
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
        inner = Scope(free=scope.free)
        for name, value in needed:
            expression.parts.append(f"LET({name},")
            self.write(value, expression, inner)
            expression.parts.append(",")
            inner = inner.with_bound(name, value)
        self.write(nodes, expression, inner)
        expression.parts.append(")" * len(needed))
        return self._shared(expression)

    def _shared(self, expression: Expression) -> Expression:
        """The same expression for the same text, so that it is evaluated once."""
        if not all(isinstance(part, str) for part in expression.parts):
            return expression
        return self._reader.apart.setdefault("".join(map(str, expression.parts)), expression)

    # --- what the engine evaluates --------------------------------------------------------

    def write(self, nodes: Nodes, onto: Expression, scope: Scope) -> None:
        """Append the text of these nodes."""
        if any(isinstance(node, Token) and node.text == "&" for node in nodes):
            nodes = repairs.joined(nodes, self._reader.cells, scope.arrays)
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
        self, opening: str, arguments: tuple[Nodes, ...], onto: Expression, scope: Scope
    ) -> None:
        onto.parts.append(opening)
        for at, nodes in enumerate(arguments):
            if at:
                onto.parts.append(",")
            self.write(nodes, onto, scope)
        onto.parts.append(")")

    def _call(self, call: Call, onto: Expression, scope: Scope) -> None:
        if call.portbal is not None:
            onto.parts.append(self.portbal(call, scope))
            return
        instead = repairs.repaired(call, self._reader.cells, scope.arrays)
        if instead is not None:
            self._refuse(call)
            self.write(instead, onto, scope)
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
        self, call: Call, array: Nodes, each: Call, onto: Expression, scope: Scope
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
        self, call: Call, onto: Expression, scope: Scope, arrays: frozenset[str]
    ) -> None:
        onto.roams |= call.name == "OFFSET"
        onto.parts.append(f"{call.name}(")
        for at, nodes in enumerate(call.arguments):
            if at:
                onto.parts.append(",")
            if shapes.set_apart(call, at, arrays) or repairs.set_apart(call, nodes):
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

    def _now(self, call: Call, onto: Expression, _scope: Scope) -> None:
        now = self._reader.now
        onto.volatile = True
        onto.parts.append(repr(now if call.name == "NOW" else float(int(now))))

    def _textjoin(self, call: Call, onto: Expression, scope: Scope) -> None:
        """The engine joins empty texts of areas even where they are to be left out."""
        skips = literal(unwrapped(call.arguments[1])) if len(call.arguments) > 2 else None
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

    def _place(self, call: Call, onto: Expression, scope: Scope) -> None:
        """ROW() and COLUMN() of the cell in which the formula stands."""
        if call.arguments:
            self._plain_call(call, onto, scope, scope.arrays)
        else:
            onto.parts.append(str(self._spot.row if call.name == "ROW" else self._spot.column))

    def _choose(self, call: Call, onto: Expression, scope: Scope) -> None:
        """CHOOSE({1,2},a,b) sets areas side by side."""
        chosen = unwrapped(call.arguments[0]) if call.arguments else ()
        block = literal(chosen)
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

    def _indirect(self, call: Call, onto: Expression, scope: Scope) -> None:
        """The engine reads addresses only, and those without a sheet on a sheet of its own."""
        names = self._reader.names
        if len(call.arguments) > 1 and literal(unwrapped(call.arguments[1])) != Block.of(True):
            raise NotAvailable("INDIRECT of R1C1 addresses is not known to the engine",
                               fix="Use A1 addresses.")
        block = literal(unwrapped(call.arguments[0])) if call.arguments else None
        if block is not None and isinstance(block.rows[0][0], str):
            nodes = resolved(block.rows[0][0], self._spot, names)
            if len(nodes) == 1 and isinstance(nodes[0], Ref):
                self._area(nodes[0].area, onto)
                return
        onto.roams = True
        onto.parts.append(f"LET({_TEXT},")
        self._list("(", call.arguments[:1], onto, scope)
        own = text_literal(quoted(self._reader.titles[self._spot.sheet]) + "!")
        known = "".join(
            f",{text_literal(name)},{text_literal(self._address(area))}"
            for name, area in addresses(names, self._spot.sheet).items()
        )
        plain = f'IF(ISNUMBER(FIND("!",{_TEXT})),{_TEXT},{own}&{_TEXT})'
        switch = f"SWITCH(LOWER({_TEXT}){known},{plain})" if known else plain
        onto.parts.append(f",INDIRECT({switch}))")

    def _address(self, area: Area) -> str:
        return f"{quoted(self._reader.titles[area.sheet])}!{area.text}"

    def _let(self, call: Call, onto: Expression, scope: Scope) -> None:
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

    def _lambda(self, call: Call, onto: Expression, scope: Scope) -> None:
        if not self._reader.lambdas:
            raise NotAvailable("a LAMBDA of this workbook breaks the engine",
                               fix="Recalculate it in a spreadsheet program.")
        names = [declaration(nodes) for nodes in call.arguments[:-1]]
        if not call.arguments or None in names:
            raise NotAvailable("LAMBDA declares something that is no name", fix="Type it again.")
        inner = scope.with_free(frozenset(map(str, names)))
        self._list("LAMBDA(", call.arguments, onto, inner)

    def _anchor(self, call: Call, onto: Expression, _scope: Scope) -> None:
        anchor = spill((call,))
        if anchor is None:
            raise NotAvailable("it asks for the spill of a result", fix="Name the cell.")
        onto.parts.append(Spill(anchor))

    def _single(self, call: Call, onto: Expression, scope: Scope) -> None:
        nodes = unwrapped(call.arguments[0]) if call.arguments else ()
        if shapes.is_area(nodes):
            self.write(shapes.of_this_row(nodes, self._spot), onto, scope)
        else:
            onto.parts.append("INDEX(")
            self.write(nodes, onto, scope)
            onto.parts.append(",1,1)")


_SPECIAL: dict[str, Callable[[_Writer, Call, Expression, Scope], None]] = {
    "NOW": _Writer._now, "TODAY": _Writer._now, "LET": _Writer._let, "LAMBDA": _Writer._lambda,
    "ANCHORARRAY": _Writer._anchor, "SINGLE": _Writer._single, "ROW": _Writer._place,
    "COLUMN": _Writer._place, "CHOOSE": _Writer._choose, "INDIRECT": _Writer._indirect,
    "TEXTJOIN": _Writer._textjoin,
}
