"""Workbook templates: what they are called, what they are for, and the files themselves."""

from __future__ import annotations

from importlib import resources

# One line a template; its module is portbal_templates.<name>, its file files/<name>.xlsx.
TEMPLATES = {
    "portfolio_balancer": "prices, limits and views to weights, risk and orders",
}


def read(name: str) -> bytes:
    """The workbook of that name, ready to be written to a file; KeyError if there is none."""
    if name not in TEMPLATES:
        raise KeyError(name)
    return resources.files("portbal_templates").joinpath(f"files/{name}.xlsx").read_bytes()
