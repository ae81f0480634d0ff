"""Where things lie on the pages of portfolio_balancer; rows and columns counted from 0."""

from __future__ import annotations

from portbal_templates import example

ASSETS = len(example.STOCKS)
ROOM = 30  # assets that every page has room for
PRICE_ROOM = 2600  # rows of prices that are read: ten years of trading days

SECTION, UNITS, HEAD, FIRST = 4, 5, 6, 7  # rows of a page of tables

# Estimates: first columns of the tables; header row of the matrix
HISTORICAL, IMPLIED, POSTERIOR, USED, COVARIANCE = 1, 4, 7, 12, FIRST + ROOM + 5

# Frontier: header rows of the two frontiers; how many portfolios each has and how many are drawn
POINTS, LONG_ONLY_DRAWN = 25, 17
FRONTIER = 30
LONG_ONLY = FRONTIER + POINTS + 5
MARKED = 14  # first column of the portfolios marked on the chart

# Target: header rows; first columns of the three tables side by side
WEIGHTS, CHECKS, CHECK_ROOM = 28, 28 + ROOM + 6, 70
BY_WEIGHT, BY_ASSET, BY_SECTOR = 1, 8, 15

# Risk: header row of VaR and CVaR, first column of the same in money; method, level, days.
# Cornish-Fisher stands at ten days only: one-day returns are too far from normal for it.
TAIL, MONEY = 15, 9
METHODS = (
    ("historical", 0.95, 1), ("historical", 0.99, 1),
    ("historical", 0.95, 10), ("historical", 0.99, 10), ("normal", 0.95, 10),
    ("normal", 0.99, 10), ("cornish-fisher", 0.95, 10), ("cornish-fisher", 0.99, 10),
)

# Trades: first columns
CASH, HOLDINGS, ORDERS, DRIFT, KEPT = 1, 4, 8, 17, 25
KEPT_ROOM = 24
