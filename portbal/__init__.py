"""Portfolio balancing: estimates, views, optimisation, risk, rebalancing.

pandas in, pandas out; pure functions; no spreadsheet. Import the module you need::

    from portbal import optimize, risk
"""

__version__ = "0.1.0"
