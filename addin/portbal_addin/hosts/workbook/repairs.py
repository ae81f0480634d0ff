"""What the engine's functions do with single values, where they differ from a spreadsheet program.

Measured with ironcalc 0.9.1, against LibreOffice and the documentation of Excel. Each repair
gives other nodes that the engine evaluates rightly:

    logic       AND and OR stop at the first value that decides and hide errors behind it
    lookup      VLOOKUP, HLOOKUP, XLOOKUP and XMATCH take a blank cell for 0
    criterion   "<>text" leaves out blanks and numbers: COUNTIF(A1:A9,"<>Cash")
    format      TEXT rounds halves to even, loses signs, and misreads many formats
    pairs       SUMXMY2 and its kin count pairs of which one half is no number
    digits      numbers become texts of 17 digits, not 15: 0.1+0.2&""
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import cache

from portbal.errors import NotAvailable
from portbal_addin.hosts.workbook import shapes
from portbal_addin.hosts.workbook.lexer import Token, tokens
from portbal_addin.hosts.workbook.references import LAST_ROW, Area
from portbal_addin.hosts.workbook.tree import Call, Group, Node, Nodes, Ref, parsed, unwrapped

DONE = "portbal"  # as the sheet of a call: its repair is made


@dataclass(frozen=True)
class Cells:
    """What is known of the cells before anything is computed. rows: the last used row of each
    sheet. has_blanks: may an area hold a blank cell; has_digits: a number of over 15 digits;
    negations: some cell may hold a criterion that begins with ``<>``."""

    rows: tuple[int, ...]
    has_blanks: Callable[[Area], bool]
    has_digits: Callable[[Area], bool]
    negations: bool


def repaired(call: Call, cells: Cells, arrays: frozenset[str]) -> Nodes | None:
    """What the engine should evaluate instead of a call; None for the call itself. arrays:
    declared names that stand for several values. NotAvailable where nothing would do."""
    if call.sheet == DONE:
        return None
    places = _TEXTS.get(call.name)
    if places is not None:
        return _with_texts(call, places, cells, arrays)
    repair = _REPAIRS.get(call.name)
    return repair(call, cells) if repair is not None else None


def _filled(template: str, **holes: Nodes) -> Nodes:
    """The nodes of a formula with other nodes in place of these names."""
    return _put(_parsed(template), {name: (Group((nodes,)),) for name, nodes in holes.items()})


@cache
def _parsed(template: str) -> Nodes:
    return parsed(tokens(template))


def _put(nodes: Nodes, holes: dict[str, Nodes]) -> Nodes:
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Token) and node.kind == "name" and node.text in holes:
            result.extend(holes[node.text])
        elif isinstance(node, Call):
            arguments = tuple(_put(inner, holes) for inner in node.arguments)
            result.append(node._replace(arguments=arguments))
        elif isinstance(node, Group):
            result.append(Group(tuple(_put(inner, holes) for inner in node.arguments)))
        else:
            result.append(node)
    return tuple(result)


def _marked(nodes: Nodes, name: str) -> Nodes:
    """With the calls of a function marked as repaired."""
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Call):
            arguments = tuple(_marked(inner, name) for inner in node.arguments)
            sheet = DONE if node.name == name else node.sheet
            result.append(Call(node.name, arguments, sheet))
        else:
            result.append(node)
    return tuple(result)


# --- logic -----------------------------------------------------------------------------------

_COMPARISONS = frozenset({"=", "<", ">", "<=", ">=", "<>"})


def _logic(call: Call, _cells: Cells) -> Nodes | None:
    if not call.arguments:
        return None
    names = tuple(Token("name", f"portbalcase{at}") for at in range(len(call.arguments)))
    each: tuple[Nodes, ...] = tuple((name,) for name in names)
    decided = Call(call.name, each, DONE)
    pairs: list[Nodes] = []
    for name, nodes in zip(each, call.arguments, strict=True):
        pairs += [name, _truth(nodes)]
    chosen: Nodes = (Call("IF", ((Call("XOR", each, DONE),), (decided,), (decided,))),)
    return (Call("LET", (*pairs, chosen)),)


def _exclusive(call: Call, _cells: Cells) -> Nodes:
    return (Call("XOR", tuple(map(_truth, call.arguments)), DONE),)


def _truth(nodes: Nodes) -> Nodes:
    """One value as a truth, so that a text is an error; cells and arrays as they are."""
    plain = unwrapped(nodes)
    is_cell = len(plain) == 1 and isinstance(plain[0], Ref)
    if is_cell or shapes.is_array(plain) or _compares(plain) or any(
        isinstance(node, Token) and node.kind == "name" for node in plain
    ):
        return nodes
    return _filled("IF(VALUE_,TRUE,FALSE)", VALUE_=nodes)


def _compares(nodes: Nodes) -> bool:
    return any(isinstance(node, Token) and node.text in _COMPARISONS and node.kind == "operator"
               for node in nodes)


# --- lookups ---------------------------------------------------------------------------------

def _is_exact(call: Call, at: int) -> bool:
    """Does an argument say FALSE or 0?"""
    nodes = unwrapped(call.arguments[at]) if at < len(call.arguments) else None
    if nodes is None:
        return False
    if not nodes:
        return True
    word = nodes[0] if len(nodes) == 1 else None
    if isinstance(word, Call):
        return word.name == "FALSE"
    return isinstance(word, Token) and word.text.upper() in ("FALSE", "0")


def _area(nodes: Nodes) -> Area | None:
    plain = unwrapped(nodes)
    return plain[0].area if len(plain) == 1 and isinstance(plain[0], Ref) else None


def _vlookup(call: Call, cells: Cells) -> Nodes | None:
    """As INDEX of MATCH, which tells blanks from zeros."""
    if len(call.arguments) < 3 or not _is_exact(call, 3):
        return None
    area = _area(call.arguments[1])
    if area is None:
        return None
    down = call.name == "VLOOKUP"
    titles = area._replace(right=area.left) if down else area._replace(bottom=area.top)
    if not cells.has_blanks(titles):
        return None
    template = ("INDEX(TABLE_,MATCH(WANTED_,TITLES_,0),AT_)" if down
                else "INDEX(TABLE_,AT_,MATCH(WANTED_,TITLES_,0))")
    return _filled(template, TABLE_=call.arguments[1], WANTED_=call.arguments[0],
                   TITLES_=(Ref(titles),), AT_=call.arguments[2])


def _xlookup(call: Call, cells: Cells) -> Nodes | None:
    area = _area(call.arguments[1]) if len(call.arguments) > 1 else None
    if area is None or not cells.has_blanks(area):
        return None
    wanted, titles, *others = _cut(call.arguments, cells)
    texts = _filled('IF(AREA_="","",AREA_)', AREA_=titles)
    return (call._replace(arguments=(wanted, texts, *others), sheet=DONE),)


def _cut(arguments: Sequence[Nodes], cells: Cells) -> list[Nodes]:
    """Whole columns as far as any of their sheets is used, so that all are equally long."""
    areas = [_area(nodes) for nodes in arguments]
    whole = [area.sheet for area in areas if area is not None and area.bottom == LAST_ROW]
    last = max((cells.rows[sheet] for sheet in whole), default=0)
    return [
        (Ref(area._replace(bottom=max(area.top, last))),)
        if area is not None and area.bottom == LAST_ROW else nodes
        for area, nodes in zip(areas, arguments, strict=True)
    ]


# --- criteria --------------------------------------------------------------------------------

# Where the first area that is asked, its criterion, and the area that is summed stand.
_ASKS = {"COUNTIF": (0, None), "SUMIF": (0, 2), "AVERAGEIF": (0, 2), "COUNTIFS": (0, None),
         "SUMIFS": (1, 0), "AVERAGEIFS": (1, 0), "MAXIFS": (1, 0), "MINIFS": (1, 0)}
_AS_TEXT = 'IFERROR(REPT(AREA_,1),"#")'
_NEGATES = '(LEFT(WORD_,2)="<>")*(MID(WORD_,3,1)<>"")*ISERROR(-MID(WORD_,3,255))'


def _criteria(call: Call, cells: Cells) -> Nodes | None:
    first, summed = _ASKS[call.name]
    last = len(call.arguments) if call.name.endswith("IFS") else 2
    places = [(at, sort) for at in range(first, last - 1, 2)
              if (sort := _negates(call.arguments[at + 1], cells))]
    if not places:
        return None
    if sum(sort == "perhaps" for _, sort in places) > 1:
        raise NotAvailable("several computed criteria are not known to the engine",
                           fix="Write the criteria into the formula.")
    arguments = _cut(call.arguments, cells)
    if summed == 2 and len(arguments) < 3:
        arguments.append(arguments[first])
    plain = list(arguments)
    chosen: Nodes = ()
    for at, sort in places:
        arguments[at] = _filled(_AS_TEXT, AREA_=arguments[at])
        if sort == "surely":
            plain[at] = arguments[at]
        else:
            chosen = _filled(_NEGATES, WORD_=arguments[at + 1])
    negated = (call._replace(arguments=tuple(arguments), sheet=DONE),)
    if not chosen:
        return negated
    otherwise = (call._replace(arguments=tuple(plain), sheet=DONE),)
    return (Call("IF", (chosen, negated, otherwise)),)


def set_apart(call: Call, nodes: Nodes) -> bool:
    """Does the engine need this argument as an area of its own?"""
    first = nodes[0] if len(nodes) == 1 else None
    return call.sheet == DONE and call.name in _ASKS and isinstance(first, Call) and (
        first.name == "IFERROR")


def _negates(criterion: Nodes, cells: Cells) -> str:
    """``surely`` or ``perhaps``, when it asks for cells that are not some text."""
    plain = unwrapped(criterion)
    start = plain[0] if plain else None
    if isinstance(start, Ref):
        return "perhaps" if cells.negations and (len(plain) > 1 or start.area.is_cell) else ""
    if isinstance(start, Token) and start.kind == "array" and '"<>' in start.text:
        raise NotAvailable("several criteria with <> are not known to the engine",
                           fix="Write one criterion a formula.")
    if not (isinstance(start, Token) and start.text.startswith('"<>')):
        return ""
    word = start.text[3:-1]
    if len(plain) > 1:
        return "perhaps"
    return "surely" if word and not _is_number(word) else ""


def _is_number(word: str) -> bool:
    return word.upper() in ("TRUE", "FALSE") or re.fullmatch(
        r"[-+]?[$]?[0-9.,]+(?:E[-+]?\d+)?%?", word, re.IGNORECASE) is not None


# --- formats ---------------------------------------------------------------------------------

_LITERAL = r'(?:"[^"]*"|\\.|[-+ $€£()])*'
_SECTION = re.compile(rf"{_LITERAL}(?:#,##)?[#0]*0(?:\.(0+))?(%?)(?:{_LITERAL})(?:_\))?")
_ONLY_LITERAL = re.compile(_LITERAL)
_DATE = re.compile(
    r'(?:yyyy|yy|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|AM/PM|"[^"]*"|[-/., :])+', re.IGNORECASE)
_MOST_DECIMALS = 8
_NUMBER_OF = "IF(ISLOGICAL(portbalraw),portbalraw,IFERROR(portbalraw*1,portbalraw))"


def _format(call: Call, _cells: Cells) -> Nodes | None:
    nodes = unwrapped(call.arguments[1]) if len(call.arguments) == 2 else ()
    word = nodes[0] if len(nodes) == 1 else None
    if not isinstance(word, Token) or word.kind != "text":
        raise NotAvailable("TEXT with a computed format is not known to the engine",
                           fix="Write the format into the formula.")
    text = word.text[1:-1].replace('""', '"')
    if text == "General" or not text:
        return None
    if text == "@":
        return _filled('""&VALUE_', VALUE_=call.arguments[0])
    if _DATE.fullmatch(text) and re.search("[ymdhs]", text, re.IGNORECASE):
        shown = "IF(portbalnumber<0,#VALUE!,TEXT(portbalnumber,FORMAT_))"
    else:
        shown = _number_shown(text)
    template = (
        f"LET(portbalraw,VALUE_,portbalnumber,{_NUMBER_OF},"
        f'IF(ISNUMBER(portbalnumber),{shown},""&portbalraw))'
    )
    return _marked(_filled(template, VALUE_=call.arguments[0], FORMAT_=(word,)), "TEXT")


def _number_shown(text: str) -> str:
    """The formula of a number in a format; NotAvailable where the engine misreads it."""
    sections = re.findall(r'(?:"[^"]*"|\\.|[^;"\\])+', text)
    found = [_SECTION.fullmatch(section) for section in sections]
    known = all(match or (at and _ONLY_LITERAL.fullmatch(section))
                for at, (match, section) in enumerate(zip(found, sections, strict=True)))
    decimals = max((len(match[1] or "") + 2 * len(match[2]) for match in found if match),
                   default=0)
    if not known or len(sections) > 3 or decimals > _MOST_DECIMALS:
        raise NotAvailable(f"the format {text[:40]} is not known to the engine",
                           fix="Use a plainer format.")
    rounded = f"ROUND(portbalnumber,{decimals})"
    if len(sections) > 1:
        return f"TEXT(IF({rounded}=0,portbalnumber,{rounded}),FORMAT_)"
    return f'IF({rounded}<0,"-","")&TEXT(ABS({rounded}),FORMAT_)'


# --- pairs -----------------------------------------------------------------------------------

_OF_A_PAIR = {"SUMXMY2": "(ONE_-OTHER_)^2", "SUMX2PY2": "ONE_^2+OTHER_^2",
              "SUMX2MY2": "ONE_^2-OTHER_^2"}


def _pairs(call: Call, _cells: Cells) -> Nodes | None:
    if len(call.arguments) != 2:
        return None
    return _filled(
        "SUM(IF((ISNUMBER(ONE_)+ISERROR(ONE_))*(ISNUMBER(OTHER_)+ISERROR(OTHER_)),"
        f"{_OF_A_PAIR[call.name]},0))", ONE_=call.arguments[0], OTHER_=call.arguments[1],
    )


# --- digits ----------------------------------------------------------------------------------

_GIVE_TEXT = frozenset(
    "TEXT LEFT RIGHT MID UPPER LOWER PROPER TRIM CLEAN CONCAT CONCATENATE TEXTJOIN SUBSTITUTE "
    "REPLACE REPT CHAR UNICHAR FIXED DOLLAR T BASE ROMAN ADDRESS TEXTBEFORE TEXTAFTER".split()
)
_GIVE_WHOLE = frozenset(
    "COUNT COUNTA COUNTBLANK COUNTIF COUNTIFS ROW COLUMN ROWS COLUMNS LEN MATCH XMATCH YEAR MONTH "
    "DAY WEEKDAY HOUR MINUTE SECOND INT CODE FIND SEARCH TODAY WEEKNUM ISOWEEKNUM".split()
)
_DIGITS = ("LET(portbalvalue,VALUE_,IF(ISNUMBER(portbalvalue),IFERROR(ROUND(portbalvalue,"
           "14-INT(LOG10(ABS(portbalvalue)))),portbalvalue),portbalvalue))")


_DIGITS_OF_CELL = ("IF(ISNUMBER(VALUE_),IFERROR(ROUND(VALUE_,14-INT(LOG10(ABS(VALUE_)))),VALUE_),"
                   "VALUE_)")


def joined(nodes: Nodes, cells: Cells, arrays: frozenset[str]) -> Nodes:
    """With the operands of ``&`` such that numbers become texts of 15 digits."""
    result: list[Node] = []
    segment: list[Node] = []
    joins = False
    for node in nodes:
        ends = isinstance(node, Token) and node.kind == "operator" and (
            node.text == "&" or node.text in _COMPARISONS)
        if not ends:
            segment.append(node)
            continue
        joined_next = isinstance(node, Token) and node.text == "&"
        result += as_text(tuple(segment), cells, arrays) if joins or joined_next else segment
        result.append(node)
        segment, joins = [], joined_next
    return (*result, *(as_text(tuple(segment), cells, arrays) if joins else segment))


def as_text(nodes: Nodes, cells: Cells, arrays: frozenset[str]) -> Nodes:
    """Nodes whose value becomes a text of at most 15 digits."""
    if not _may_have_digits(nodes, cells):
        return nodes
    plain = unwrapped(nodes)
    if len(plain) == 1 and isinstance(plain[0], Ref) and plain[0].area.is_cell:
        return _filled(_DIGITS_OF_CELL, VALUE_=nodes)
    if shapes.is_array(nodes, arrays):
        if not shapes.is_surely_array(nodes):
            return nodes
        each = "portbaldigits"
        inner = _filled(_DIGITS, VALUE_=(Token("name", each),))
        function = Call("LAMBDA", ((Token("name", each),), inner))
        return (Call("MAP", (nodes, (function,))),)
    return _filled(_DIGITS, VALUE_=nodes)


def _may_have_digits(nodes: Nodes, cells: Cells) -> bool:
    """May this be a number of more than 15 digits?"""
    plain = unwrapped(nodes)
    if len(plain) != 1:
        joins = any(isinstance(node, Token) and node.text == "&" for node in plain)
        return bool(plain) and not joins
    only = plain[0]
    if isinstance(only, Ref):
        return cells.has_digits(only.area)
    if isinstance(only, Call):
        if only.name in ("IF", "IFERROR", "IFNA"):
            values = only.arguments[1:] if only.name == "IF" else only.arguments
            return any(_may_have_digits(value, cells) for value in values if value)
        return only.name not in _GIVE_TEXT and only.name not in _GIVE_WHOLE
    return isinstance(only, Token) and only.kind == "name" and (
        only.text.upper() not in ("TRUE", "FALSE"))


_TEXTS = {"LEN": (0,), "LEFT": (0,), "RIGHT": (0,), "MID": (0,), "CONCATENATE": range(255),
          "CONCAT": range(255), "TEXTJOIN": range(2, 255), "UPPER": (0,), "LOWER": (0,),
          "PROPER": (0,), "TRIM": (0,), "SUBSTITUTE": (0,), "REPLACE": (0,), "FIND": (1,),
          "SEARCH": (1,), "EXACT": (0, 1)}


def _with_texts(
    call: Call, places: Container[int], cells: Cells, arrays: frozenset[str]
) -> Nodes | None:
    arguments = tuple(
        as_text(nodes, cells, arrays) if at in places and nodes else nodes
        for at, nodes in enumerate(call.arguments)
    )
    return None if arguments == call.arguments else (
        call._replace(arguments=arguments, sheet=DONE),)


_REPAIRS: dict[str, Callable[[Call, Cells], Nodes | None]] = {
    "AND": _logic, "OR": _logic, "XOR": _exclusive, "VLOOKUP": _vlookup, "HLOOKUP": _vlookup,
    "XLOOKUP": _xlookup,
    "XMATCH": _xlookup, "TEXT": _format, "SUMXMY2": _pairs, "SUMX2PY2": _pairs,
    "SUMX2MY2": _pairs, **dict.fromkeys(_ASKS, _criteria),
}
