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

# Risk: header row of VaR and CVaR, first column on the right, where they stand in money. Method,
# level, days: filtered and evt look one day ahead, and Cornish-Fisher stands at ten days only,
# for one-day returns are too far from normal for it.
TAIL, MONEY = 17, 11
ALL_METHODS = ("historical", "normal", "cornish-fisher", "student", "filtered", "evt", "montecarlo")
METHODS = (
    *((method, level, 1) for method in ("historical", "normal", "student", "filtered", "evt")
      for level in (0.95, 0.99)),
    *((method, level, 10) for method in ("historical", "normal", "cornish-fisher", "montecarlo")
      for level in (0.95, 0.99)),
)
# Risk, below: section of the backtests, how many rows a backtest has; row of the charts and
# header row of the contributions; header row of drawdowns and of stressed VaR
BACKTEST, TESTS = TAIL + len(METHODS) + 22, 6
PART_CHARTS = BACKTEST + 10 + TESTS + 2
PARTS = PART_CHARTS + 19
DRAWDOWNS, DEEPEST = PARTS + ROOM + 5, 10

# Stress: first columns; room for rows of shocks and for scenarios; header rows of correlations,
# of the matrix and of the windows; columns of the matrix
OWN, SCENARIOS = 1, 5
SHOCK_ROOM, SCENARIO_ROOM = 24, 24
CORRELATIONS = HEAD + SHOCK_ROOM + 5
MATRIX = CORRELATIONS + 22
MATRIX_COLUMNS = 4 + SCENARIO_ROOM
WINDOWS = MATRIX + CHECK_ROOM + 5
WINDOW_ROOM = 16 * ROOM

# Trades: first columns
CASH, HOLDINGS, ORDERS, DRIFT, KEPT = 1, 4, 8, 17, 25
KEPT_ROOM = 24
