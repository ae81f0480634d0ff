"""Workbook files: IronCalc evaluates native formulas, portbal answers its calls, and the file is
patched in place."""

from portbal_addin.hosts.workbook.explanation import Explained, Explanation, Given, explain
from portbal_addin.hosts.workbook.recalculation import read_values, recalculate
from portbal_addin.hosts.workbook.report import Change, Computed, Recalculation, Remark

__all__ = [
    "Change", "Computed", "Explained", "Explanation", "Given", "Recalculation", "Remark", "explain",
    "read_values", "recalculate",
]
