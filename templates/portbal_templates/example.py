"""The example that the shipped workbooks are filled with: twenty US stocks, made-up mandate."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Prices:
    assets: tuple[str, ...]
    dates: tuple[dt.date, ...]
    rows: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Stock:
    """benchmark: weight in the made-up benchmark, a fraction; quantity: shares held now."""

    company: str
    sector: str
    benchmark: float
    quantity: int
    lot: int = 10


def prices() -> Prices:
    """Adjusted closing prices in US dollars; data/README.md names source and licence."""
    text = resources.files("portbal_templates").joinpath("data/us_stocks_daily.csv").read_text(
        encoding="utf-8"
    )
    header, *rows = csv.reader(text.splitlines())
    return Prices(
        tuple(header[1:]),
        tuple(dt.date.fromisoformat(row[0]) for row in rows),
        tuple(tuple(map(float, row[1:])) for row in rows),
    )


STOCKS: dict[str, Stock] = {
    "AAPL": Stock("Apple", "Technology", 0.12, 13_000),
    "AMD": Stock("Advanced Micro Devices", "Technology", 0.03, 14_000),
    "BAC": Stock("Bank of America", "Financials", 0.04, 9_000),
    "BBY": Stock("Best Buy", "Consumer Discretionary", 0.01, 4_000),
    "CVX": Stock("Chevron", "Energy", 0.05, 1_000),
    "GE": Stock("General Electric", "Industrials", 0.02, 15_000),
    "HD": Stock("Home Depot", "Consumer Discretionary", 0.05, 1_200),
    "JNJ": Stock("Johnson & Johnson", "Health Care", 0.06, 1_500),
    "JPM": Stock("JPMorgan Chase", "Financials", 0.06, 6_000),
    "KO": Stock("Coca-Cola", "Consumer Staples", 0.04, 3_000),
    "LLY": Stock("Eli Lilly", "Health Care", 0.05, 1_500),
    "MRK": Stock("Merck", "Health Care", 0.04, 1_500),
    "MSFT": Stock("Microsoft", "Technology", 0.11, 3_400),
    "PEP": Stock("PepsiCo", "Consumer Staples", 0.04, 1_000),
    "PFE": Stock("Pfizer", "Health Care", 0.04, 6_000),
    "PG": Stock("Procter & Gamble", "Consumer Staples", 0.05, 1_500),
    "RRC": Stock("Range Resources", "Energy", 0.01, 12_000),
    "UNH": Stock("UnitedHealth", "Health Care", 0.07, 1_000),
    "WMT": Stock("Walmart", "Consumer Staples", 0.05, 1_200),
    "XOM": Stock("Exxon Mobil", "Energy", 0.06, 3_500),
}

LIMITS: tuple[tuple[str, float | None, float | None, str], ...] = (
    ("each asset", 0.0, 0.12, "No short positions, no holding above 12%"),
    ("Sector Technology", 0.15, 0.28, "Within reach of the benchmark's 26%"),
    ("Sector Health Care", None, 0.28, "The largest sector is capped"),
    ("Sector Consumer Staples", 0.10, None, "A defensive core"),
    ("Sector Energy", 0.05, 0.15, ""),
    ("volatility", None, 0.22, "Risk budget of the mandate"),
    ("tracking error", None, 0.03, "Against the Benchmark column of Assets"),
    ("turnover", None, 0.25, "One way, from the Current column of Assets"),
)

VIEWS: tuple[tuple[str, float, float], ...] = (
    ("LLY", 0.15, 0.6),
    ("XOM - CVX", 0.01, 0.4),
    ("MSFT - AAPL", 0.02, 0.5),
)

SHOCKS: tuple[tuple[str, str, float], ...] = (
    ("Market -20%", "all", -0.20),
    ("Technology falls", "Sector Technology", -0.35),
    ("Technology falls", "all", -0.10),
    ("Energy falls", "Sector Energy", -0.40),
    ("Energy falls", "all", -0.05),
    ("Rates rise", "Sector Technology", -0.20),
    ("Rates rise", "Sector Consumer Staples", -0.08),
    ("Rates rise", "Sector Financials", 0.05),
    ("Rates rise", "all", -0.12),
    ("Drug prices capped", "Sector Health Care", -0.30),
    ("Drug prices capped", "all", -0.02),
)
