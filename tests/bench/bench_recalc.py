"""What ``portbal recalc`` costs: 10,000 native formulas, portbal cells over 1,260 x 20 prices."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from xlsxwriter import Workbook

DAYS, ASSETS, NATIVE = 1260, 20, 10_000


def book(path: Path, calls: int) -> None:
    walk = np.random.default_rng(1).normal(0.0004, 0.012, (DAYS, ASSETS)).cumsum(axis=0)
    target = Workbook(str(path))
    prices, native, portbal = (target.add_worksheet(name) for name in ("Prices", "Calc", "Out"))
    prices.write_row(0, 0, ["Date", *(f"A{at:02d}" for at in range(ASSETS))])
    for row, values in enumerate(100 * np.exp(walk), start=1):
        prices.write_row(row, 0, [40000 + row, *values])
    for row in range(NATIVE // 2):
        day = row % DAYS + 2
        native.write_formula(row, 0, f"=Prices!B{day}*2+SUM(Prices!B{day}:H{day})")
        native.write_formula(row, 1, f'=IF(A{row + 1}>3,ROUND(A{row + 1}/7,2),"-")')
    returns = f"PORTBAL.RETURNS(Prices!$A$1:$U${DAYS + 1})"
    portbal.write_dynamic_array_formula(
        0, 0, ASSETS, 1, f"=PORTBAL.MINVOLATILITY(PORTBAL.COVARIANCE({returns}))")
    for row in range(1, calls):
        level = 0.9 + 0.09 * row / calls
        portbal.write_formula(row, 3, f"=ROUND(PORTBAL.VAR({returns},$A$1:$B$21,{level})*100,3)")
    target.close()


@pytest.mark.parametrize("calls", [20, 200])
def test_recalc(calls: int, tmp_path: Path) -> None:
    source = tmp_path / "book.xlsx"
    book(source, calls)
    command = [sys.executable, "-m", "portbal_addin", "recalc", str(source)]
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(time.perf_counter() - begun)
    print(f"\n{NATIVE:,} native and {calls} portbal formulas{min(seconds):8.2f} s")


def chain(path: Path, links: int) -> None:
    """Portbal cells that each wait for the one before, through two native formulas."""
    target = Workbook(str(path))
    sheet = target.add_worksheet("Chain")
    sheet.write_row(0, 0, ["A", 1.0])
    sheet.write_row(1, 0, ["B", 0.0])
    for link in range(links):
        row = 2 + 2 * link
        before = f"C{row - 1}" if link else "0.4"
        sheet.write(row, 0, "A")
        sheet.write(row + 1, 0, "B")
        sheet.write_formula(row, 1, f"={before}/2+0.3")
        sheet.write_formula(row + 1, 1, f"=1-B{row + 1}")
        sheet.write_formula(row, 2, f"=PORTBAL.TURNOVER($A$1:$B$2,A{row + 1}:B{row + 2})")
    target.close()


def test_chain(tmp_path: Path) -> None:
    chain(tmp_path / "chain.xlsx", 200)
    command = [sys.executable, "-m", "portbal_addin", "recalc", str(tmp_path / "chain.xlsx")]
    begun = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    print(f"\na chain of 200 portbal cells{time.perf_counter() - begun:24.2f} s")
