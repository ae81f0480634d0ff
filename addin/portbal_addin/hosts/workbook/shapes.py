"""What the engine does with arrays, where it differs from a spreadsheet program.

Measured with ironcalc 0.9.1. Three repairs are made to a formula before the engine sees it:

    apart      an array that a function reads wrongly is spilled to a sheet of its own and
               handed over as that area: COUNT(IF(A1:A9>2,A1:A9))
    element    a function that takes one value is applied to each element: ROUND(A1:A9,1)
    this row   in a formula that is not an array formula an area stands for the one cell of it
               in the formula's row or column: A1:A9*2
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from portbal.errors import InputError, NotAvailable
from portbal_addin.hosts.workbook.lexer import Token
from portbal_addin.hosts.workbook.references import Area, Spot
from portbal_addin.hosts.workbook.tree import (
    Call,
    Group,
    Node,
    Nodes,
    Ref,
    bare,
    calls,
    leaves,
    unwrapped,
)
from portbal_addin.registry import find

# Functions that answer with one value whatever they read.
AGGREGATES = frozenset(
    "SUM AVERAGE AVERAGEA COUNT COUNTA COUNTBLANK MAX MAXA MIN MINA MEDIAN PRODUCT STDEV STDEV.S "
    "STDEV.P STDEVP STDEVA STDEVPA VAR VAR.S VAR.P VARP VARA VARPA SUMSQ GEOMEAN HARMEAN SKEW "
    "SKEW.P KURT DEVSQ AVEDEV MODE MODE.SNGL AND OR XOR SUMPRODUCT GCD LCM MULTINOMIAL CONCAT "
    "TEXTJOIN ROWS COLUMNS NPV IRR MIRR XNPV XIRR LARGE SMALL PERCENTILE PERCENTILE.INC "
    "PERCENTILE.EXC QUARTILE QUARTILE.INC QUARTILE.EXC TRIMMEAN PERCENTRANK PERCENTRANK.INC "
    "PERCENTRANK.EXC CORREL PEARSON RSQ COVAR COVARIANCE.S COVARIANCE.P SLOPE INTERCEPT STEYX "
    "FORECAST FORECAST.LINEAR T.TEST TTEST F.TEST Z.TEST CHISQ.TEST SUMX2MY2 SUMXMY2 SUMX2PY2 "
    "SUBTOTAL RANK RANK.EQ RANK.AVG PROB MDETERM SUMIF COUNTIF AVERAGEIF SUMIFS COUNTIFS "
    "AVERAGEIFS MAXIFS MINIFS MATCH XMATCH VLOOKUP HLOOKUP LOOKUP REDUCE ISREF FVSCHEDULE "
    "SERIESSUM".split()
)

# Functions whose arguments a spreadsheet program always evaluates as arrays.
_TAKE_ARRAYS = frozenset(
    "SUMPRODUCT MMULT MDETERM MINVERSE TRANSPOSE LOOKUP FREQUENCY LINEST LOGEST TREND GROWTH "
    "SORT SORTBY FILTER UNIQUE XLOOKUP XMATCH VSTACK HSTACK TOCOL TOROW TAKE DROP CHOOSEROWS "
    "CHOOSECOLS EXPAND WRAPROWS WRAPCOLS MAP REDUCE SCAN BYROW BYCOL MAKEARRAY LAMBDA LET "
    "TEXTSPLIT CORREL SLOPE".split()
)

# Functions that misread an array which is not an area: COUNT and NPV answer 0, AVERAGE, MEDIAN
# and their kin count FALSE as 0, the others fail.
_APART = frozenset(
    "COUNT AVERAGE AVERAGEA MEDIAN PRODUCT GEOMEAN HARMEAN SKEW SKEW.P KURT NPV STDEVA STDEVPA "
    "VARA VARPA CONCAT TEXTJOIN XLOOKUP".split()
)

# Pairs of which one half is no number: a spreadsheet program leaves the pair out, the engine
# counts it.
_PAIRED = frozenset(
    "CORREL PEARSON RSQ COVAR COVARIANCE.S COVARIANCE.P SLOPE INTERCEPT STEYX FORECAST "
    "FORECAST.LINEAR".split()
)

# Functions of single values that the engine does not apply element by element.
_SINGLE = frozenset(
    "ATAN2 CEILING CEILING.MATH CEILING.PRECISE ISO.CEILING COMBIN COMBINA DECIMAL FLOOR "
    "FLOOR.MATH FLOOR.PRECISE LOG MOD MROUND QUOTIENT ROMAN ARABIC BASE ROUND ROUNDDOWN ROUNDUP "
    "SQRTPI TRUNC NOT IFS SWITCH ISNUMBER ISTEXT ISBLANK ISERROR ISERR ISNA ISLOGICAL ISNONTEXT "
    "ISEVEN ISODD N TYPE ERROR.TYPE T VALUE NUMBERVALUE TEXT FIXED DOLLAR CHAR CODE UNICHAR "
    "UNICODE TEXTBEFORE TEXTAFTER VALUETOTEXT HOUR MINUTE SECOND WEEKNUM EDATE EOMONTH TIME "
    "DATEVALUE TIMEVALUE DAYS DAYS360 YEARFRAC DATEDIF NORM.DIST NORM.INV NORM.S.DIST NORM.S.INV "
    "NORMSDIST NORMSINV NORMDIST NORMINV T.DIST T.INV T.INV.2T T.DIST.2T T.DIST.RT TDIST TINV "
    "CHISQ.DIST CHISQ.INV CHISQ.DIST.RT CHISQ.INV.RT CHIDIST CHIINV F.DIST F.INV BINOM.DIST "
    "BINOMDIST POISSON.DIST EXPON.DIST GAMMA.DIST BETA.DIST LOGNORM.DIST WEIBULL.DIST PHI GAUSS "
    "GAMMA GAMMALN ERF ERFC STANDARDIZE FISHER FISHERINV CONFIDENCE.NORM PERMUT BINOM.INV "
    "HYPGEOM.DIST PMT FV PV NPER RATE IPMT PPMT EFFECT NOMINAL SLN SYD DB DDB RRI PDURATION DELTA "
    "GESTEP BITAND BITOR BIN2DEC DEC2BIN HEX2DEC DEC2HEX CONVERT COMPLEX".split()
)
# Of these the arguments at these places are single values.
_SINGLE_AT = {
    "VLOOKUP": (0, 2), "HLOOKUP": (0, 2), "LOOKUP": (0,), "XLOOKUP": (0,), "XMATCH": (0,),
    "MATCH": (0,), "INDEX": (1, 2), "COUNTIF": (1,), "SUMIF": (1,), "AVERAGEIF": (1,),
    "LARGE": (1,), "SMALL": (1,), "PERCENTILE": (1,), "PERCENTILE.INC": (1,),
    "PERCENTILE.EXC": (1,), "QUARTILE": (1,), "QUARTILE.INC": (1,), "QUARTILE.EXC": (1,),
    "TRIMMEAN": (1,), "PERCENTRANK": (1,), "PERCENTRANK.INC": (1,), "RANK": (0,), "RANK.EQ": (0,),
    "RANK.AVG": (0,), "FORECAST": (0,), "FORECAST.LINEAR": (0,), "NPV": (0,), "XNPV": (0,),
    "WORKDAY": (0, 1), "NETWORKDAYS": (0, 1), "REPT": (1,), "ADDRESS": (0, 1),
}
_CRITERIA_FROM = {"COUNTIFS": 1, "SUMIFS": 2, "AVERAGEIFS": 2, "MAXIFS": 2, "MINIFS": 2}
# The engine applies these element by element itself.
_LIFTED = frozenset(
    "ABS ACOS ACOSH ACOT ACOTH ASIN ASINH ATAN ATANH COS COSH COT COTH CSC CSCH SEC SECH DEGREES "
    "EVEN EXP FACT FACTDOUBLE INT LN LOG10 ODD POWER RADIANS SIGN SIN SINH SQRT TAN TANH LEN LEFT "
    "RIGHT MID UPPER LOWER PROPER TRIM CLEAN REPT FIND SEARCH SUBSTITUTE REPLACE EXACT YEAR MONTH "
    "DAY WEEKDAY ISOWEEKNUM DATE".split()
)
_NEVER_AREAS = _SINGLE | _LIFTED
ELEMENT = "portbalelement"


def is_array(nodes: Nodes, arrays: frozenset[str] = frozenset()) -> bool:
    """May these give more than one value? arrays: declared names that do."""
    for node in nodes:
        if isinstance(node, Ref):
            if not node.area.is_cell:
                return True
        elif isinstance(node, Token):
            if node.kind == "array" and ("," in node.text or ";" in node.text):
                return True
            if node.kind == "name" and bare(node.text).casefold() in arrays:
                return True
            if node.kind == "operator" and node.text == "#":
                return True
        elif isinstance(node, Group):
            if any(is_array(inner, arrays) for inner in node.arguments):
                return True
        elif _gives_array(node, arrays):
            return True
    return False


def _gives_array(call: Call, arrays: frozenset[str]) -> bool:
    if call.portbal is not None:
        return not _answers_one(call.portbal)
    if call.name == "INDEX":
        chosen = call.arguments[1:]
        return any(not nodes or is_array(nodes, arrays) or _is_zero(nodes) for nodes in chosen)
    if call.name in AGGREGATES:
        return any(is_array(call.arguments[at], arrays) for at in _single_places(call))
    if call.name in _TAKE_ARRAYS or call.name in ("SEQUENCE", "RANDARRAY", "MUNIT", "OFFSET",
                                                  "INDIRECT", "ANCHORARRAY"):
        return True
    return any(is_array(nodes, arrays) for nodes in call.arguments)


@cache
def _answers_one(name: str) -> bool:
    """Does this portbal function answer with one cell?"""
    try:
        return find(name).result.name in ("number", "text", "truth")
    except InputError:
        return False


def is_surely_array(nodes: Nodes) -> bool:
    """Do these give more than one value whatever the cells hold?"""
    for node in nodes:
        if isinstance(node, Ref):
            if not node.area.is_cell:
                return True
        elif isinstance(node, Token):
            if node.kind == "array" and ("," in node.text or ";" in node.text):
                return True
        elif isinstance(node, Group) or node.name in _NEVER_AREAS or node.name == "IFERROR":
            if any(map(is_surely_array, node.arguments)):
                return True
        elif node.name == "IF" and node.arguments and is_surely_array(node.arguments[0]):
            return True
    return False


def _is_zero(nodes: Nodes) -> bool:
    return len(nodes) == 1 and isinstance(nodes[0], Token) and nodes[0].text == "0"


def is_area(nodes: Nodes) -> bool:
    """A reference and nothing else."""
    plain = unwrapped(nodes)
    return bool(plain) and isinstance(plain[0], Ref) and all(
        isinstance(node, Token) and node.text == "#" for node in plain[1:]
    )


def set_apart(call: Call, at: int, arrays: frozenset[str]) -> bool:
    """Must the argument at this place be spilled to a sheet of its own?

    NotAvailable where the engine would be wrong even so.
    """
    nodes = call.arguments[at]
    if call.name in _PAIRED and not is_area(nodes) and is_array(nodes, arrays):
        if any(inner.name in ("IF", "IFERROR", "IFNA", "IFS") for inner in calls(nodes)):
            raise _unknown_shape(call)
        return False
    if call.name not in _APART or (call.name == "XLOOKUP" and at == 0):
        return False
    return not is_area(nodes) and is_array(nodes, arrays)


def by_element(call: Call, arrays: frozenset[str]) -> tuple[Nodes, Call] | None:
    """The argument that is an array where the function takes one value, and the call of one
    element of it; None where there is no such argument."""
    places = [at for at in _single_places(call) if is_array(call.arguments[at], arrays)]
    if not places:
        return None
    if len(places) > 1:
        raise _unknown_shape(call)
    element: Nodes = (Token("name", ELEMENT),)
    arguments = tuple(element if at == places[0] else nodes
                      for at, nodes in enumerate(call.arguments))
    return call.arguments[places[0]], call._replace(arguments=arguments)


def _single_places(call: Call) -> Iterable[int]:
    """Where single values stand among the arguments."""
    count = len(call.arguments)
    if call.name in _SINGLE:
        return range(count)
    if call.name in _CRITERIA_FROM:
        return range(_CRITERIA_FROM[call.name], count, 2)
    return [at for at in _SINGLE_AT.get(call.name, ()) if at < count]


def _unknown_shape(call: Call) -> NotAvailable:
    return NotAvailable(
        f"{call.name} of several values is not known to the engine",
        fix="Put the values into cells of their own.",
    )


# --- formulas that are no array formulas ---------------------------------------------------

def of_this_row(nodes: Nodes, spot: Spot) -> Nodes:
    """With each area that stands where one value belongs replaced by its cell in the
    formula's row or column, as a spreadsheet program reads it; #VALUE! where there is none."""
    if all(not isinstance(leaf, Ref) or leaf.area.is_cell for leaf in leaves(nodes)):
        return nodes
    if has_operators(nodes):
        return tuple(_cell(node, spot) for node in nodes)
    only = unwrapped(nodes)
    if len(only) == 1 and isinstance(only[0], Ref):
        return (_intersection(only[0].area, spot),)
    return tuple(_inside(node, spot) for node in nodes)


def has_operators(nodes: Nodes) -> bool:
    return any(
        isinstance(node, Token) and node.kind == "operator" and node.text not in "#:@"
        for node in nodes
    ) or any(isinstance(node, Group) and len(node.arguments) == 1
             and has_operators(node.arguments[0]) for node in nodes)


def _cell(node: Node, spot: Spot) -> Node:
    if isinstance(node, Ref):
        return _intersection(node.area, spot)
    if isinstance(node, Group) and len(node.arguments) == 1:
        return Group((tuple(_cell(inner, spot) for inner in node.arguments[0]),))
    return _inside(node, spot)


def _inside(node: Node, spot: Spot) -> Node:
    """The same for the arguments of a call, as far as they are not arrays by themselves."""
    if isinstance(node, Group):
        return Group(tuple(tuple(_inside(inner, spot) for inner in nodes)
                           for nodes in node.arguments))
    if not isinstance(node, Call) or node.portbal is not None or node.name in _TAKE_ARRAYS:
        return node
    arguments = []
    places = _single_places(node)
    for at, nodes in enumerate(node.arguments):
        single = node.name in _NEVER_AREAS or at in places
        if single or has_operators(nodes) or (node.name == "IF" and at == 0):
            arguments.append(of_this_row(nodes, spot))
        else:
            arguments.append(tuple(_inside(inner, spot) for inner in nodes))
    return node._replace(arguments=tuple(arguments))


def _intersection(area: Area, spot: Spot) -> Node:
    if area.is_cell:
        return Ref(area)
    if area.left == area.right and area.top <= spot.row <= area.bottom:
        return Ref(area._replace(top=spot.row, bottom=spot.row))
    if area.top == area.bottom and area.left <= spot.column <= area.right:
        return Ref(area._replace(left=spot.column, right=spot.column))
    return Token("error", "#VALUE!")
