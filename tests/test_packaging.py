"""The wheel holds the whole product and runs in an environment that has nothing else; what
starts and checks the product does what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def run(*command: str | Path, cwd: Path = TOP) -> subprocess.CompletedProcess[str]:
    ours = ("PYTHON", "PORTBAL", "MAKE")
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith(ours)},
    )


def done(*command: str | Path, cwd: Path = TOP) -> str:
    """What a command prints; its complaint as the failure when it has one."""
    ended = run(*command, cwd=cwd)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done(*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, TOP)
    (built,) = folder.glob("portbal-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The interpreter of an empty environment into which only the wheel was installed."""
    folder = tmp_path_factory.mktemp("environment")
    done(sys.executable, "-m", "venv", "--without-pip", folder)
    interpreter = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done(*PIP, "--python", interpreter, "install", "--no-compile",
         "--constraint", TOP / "constraints.txt", wheel)
    yield interpreter
    shutil.rmtree(folder)


def test_the_wheel_holds_the_product_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert packages == {"portbal", "portbal_addin", "portbal_udfs", "portbal_templates"}
    sources = {
        str(path.relative_to(folder))
        for folder in (TOP, TOP / "addin", TOP / "templates")
        for package in packages
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources == {name for name in names if ".dist-info/" not in name}
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_the_wheel_runs_in_an_empty_environment(python: Path, tmp_path: Path) -> None:
    done(python, "-c", "import pypfopt, portbal_udfs", cwd=tmp_path)
    version = done(python, "-m", "portbal_addin", "call", "VERSION", cwd=tmp_path)
    assert version == '{"result": "0.1.0", "notes": []}\n'
    assert done(python.with_name("portbal"), "--version", cwd=tmp_path) == "portbal 0.1.0\n"
    shown = done(python, "-m", "portbal_addin", "demo", cwd=tmp_path)
    (workbook,) = set(re.findall(r"\S+\.xlsx", shown))
    assert (tmp_path / workbook).exists()
    assert "CVaR" in shown


def test_the_version_is_written_alike_everywhere() -> None:
    import tomllib

    import portbal

    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == portbal.__version__
    assert f"## {portbal.__version__}" in (TOP / "CHANGELOG.md").read_text(encoding="utf-8")


def test_constraints_name_versions_and_no_places() -> None:
    lines = (TOP / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line.startswith("#") or (line.count("==") == 1 and "/" not in line), line


def test_make_alone_lists_what_it_can_do() -> None:
    shown = done("make", "--no-print-directory")
    for word in ("demo", "test", "check", "host-tools"):
        assert f"make {word} " in shown


def stand_in(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 127", "there is no python3; install Python 3.11 to 3.14"),
        ('[ "$1" = --version ] && echo Python 3.10.1; [ "$1" = --version ]',
         "python3 is Python 3.10.1; install Python 3.11 to 3.14, "
         "or run make PYTHON=/path/to/python"),
        ('case "$*" in *ensurepip*|*pip*) exit 1;; *print*) echo 3.12;; esac',
         "python3 cannot make a virtual environment; install python3.12-venv "
         "(apt-get install python3.12-venv), then run make again"),
    ],
    ids=["none", "too old", "no venv"],
)
def test_set_up_says_what_is_missing(tmp_path: Path, script: str, message: str) -> None:
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        stand_in(tmp_path / name, script if name == "python3" else "exit 127")
    (tmp_path / "env" / "bin").mkdir(parents=True)
    ended = run("/bin/sh", "-c",
                f"PATH={tmp_path}:/bin:/usr/bin sh {TOP}/tools/venv.sh env", cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == f"portbal: {message}\n"


@pytest.mark.parametrize(
    ("setting", "allowed", "code"),
    [("", "", 0), ("1", "", 1), ("1", "no tool here :: it is not needed", 0)],
)
def test_a_skip_fails_a_strict_run_unless_allowed(
    tmp_path: Path, setting: str, allowed: str, code: int
) -> None:
    shutil.copy(TOP / "tests" / "conftest.py", tmp_path)
    (tmp_path / "allowed_skips.txt").write_text(allowed, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(
        "import pytest\ndef test_a(): pytest.skip('no tool here')\ndef test_b(): pass\n",
        encoding="utf-8",
    )
    ended = run("/bin/sh", "-c", f"PORTBAL_CI={setting} {sys.executable} -m pytest -q .",
                cwd=tmp_path)
    assert ended.returncode == code, ended.stdout
    lines = ended.stdout.strip().splitlines()
    assert "skipped 1: no tool here" in lines
    assert lines[-1].startswith("1 passed, 1 skipped")
