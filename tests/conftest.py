"""Skips are counted and shown; with PORTBAL_CI set, one that nobody allowed fails the run."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ALLOWED = Path(__file__).parent / "allowed_skips.txt"

# Examples are the same in every run, and no test is judged by its time.
settings.register_profile(
    "portbal", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("portbal")


def allowed_reasons() -> set[str]:
    """The reasons before `` :: `` in the lines of allowed_skips.txt."""
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    return {line.partition(" :: ")[0].strip() for line in lines if line[:1] not in ("", "#")}


def skip_reasons(config: pytest.Config) -> Counter[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)


def refused_reasons(config: pytest.Config) -> list[str]:
    if not os.environ.get("PORTBAL_CI"):
        return []
    return sorted(set(skip_reasons(config)) - allowed_reasons())


def pytest_sessionfinish(session: pytest.Session) -> None:
    if refused_reasons(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for reason, count in sorted(skip_reasons(config).items()):
        terminalreporter.write_line(f"skipped {count}: {reason}")
    for reason in refused_reasons(config):
        terminalreporter.write_line(
            f"FAILED: this skip is not in tests/{ALLOWED.name}: {reason}", red=True
        )
