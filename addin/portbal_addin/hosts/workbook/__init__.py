"""Workbook files: IronCalc evaluates native formulas, portbal answers its calls, and the file is
patched in place."""

from portbal_addin.hosts.workbook.recalculation import read_values, recalculate
from portbal_addin.hosts.workbook.report import Recalculation, Remark

__all__ = ["Recalculation", "Remark", "read_values", "recalculate"]
