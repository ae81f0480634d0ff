"""portbal template: the list, and copies that replace no file unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from portbal_addin.cli import main
from portbal_templates import read

NAME = "portfolio_balancer"


def test_template_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", "list"]) == 0
    assert NAME in capsys.readouterr().out


def test_template_new_keeps_existing_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["template", "new", NAME]) == 0
    written = tmp_path / f"{NAME}.xlsx"
    assert written.read_bytes() == read(NAME)
    written.write_bytes(b"mine")
    assert main(["template", "new", NAME]) == 1
    assert "exists" in capsys.readouterr().err
    assert written.read_bytes() == b"mine"
    assert main(["template", "new", NAME, "--force", "-o", str(written)]) == 0
    assert written.read_bytes() == read(NAME)


def test_template_new_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["template", "new", "portfolio_balanser"]) == 1
    assert f"Did you mean '{NAME}'?" in capsys.readouterr().err
