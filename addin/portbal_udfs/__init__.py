"""The portbal formulas as Excel's UDF server (xlwings) imports them.

Generated from the registry by portbal_addin.hosts.excel.generate; not edited by hand.
"""
# ruff: noqa: E501, N802

import xlwings as xw

from portbal_addin.hosts.excel.binding import answer
from portbal_addin.hosts.excel.cells import Cells


@xw.func(category="portbal")
@xw.arg("prices", Cells, doc="Prices: dates down, assets across.")
@xw.arg("kind", Cells, doc="Simple, or log, whose table is titled Date (log).")
@xw.arg("every", Cells, doc="D, W, M, Q or Y: take the last price of each day, week (Monday to Sunday), month, quarter or year. Left out, take every row.")
@xw.ret(Cells)
def PORTBAL_RETURNS(prices=None, kind=None, every=None):
    "Returns between successive prices, labelled with the later date."
    return answer("RETURNS", prices, kind, every)


@xw.func(category="portbal")
@xw.arg("prices", Cells, doc="Prices: dates down, assets across. Blank cells and repeated dates are listed.")
@xw.ret(Cells)
def PORTBAL_CHECKDATA(prices=None):
    "What looks wrong in prices: gaps, stale runs, jumps that look like splits, outliers, short histories, duplicates. One row All, none when nothing does."
    return answer("CHECKDATA", prices)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across. A history may start later: leave blanks above it.")
@xw.arg("method", Cells, doc="Mean: the arithmetic mean times periods. compound: what wealth grew by a year.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("options", Cells, doc="Option, value; these methods take none.")
@xw.ret(Cells)
def PORTBAL_MEANRETURN(returns=None, method=None, periods=None, options=None):
    "Expected returns a year, each from the asset's own history."
    return answer("MEANRETURN", returns, method, periods, options)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across. A history may start later: leave blanks above it.")
@xw.arg("method", Cells, doc="Sample (histories may start later), or ledoit-wolf: shrunk toward the identity.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("options", Cells, doc="Option indefinite, refuse or keep: what becomes of a matrix that is not positive semidefinite, as histories of different length can give.")
@xw.ret(Cells)
def PORTBAL_COVARIANCE(returns=None, method=None, periods=None, options=None):
    "The covariance of returns, a year."
    return answer("COVARIANCE", returns, method, periods, options)


@xw.func(category="portbal")
@xw.arg("matrix", Cells, doc="A covariance or correlation matrix with names on both sides.")
@xw.arg("show", Cells, doc="Matrix, or change: the largest absolute change.")
@xw.ret(Cells)
def PORTBAL_NEARESTPSD(matrix=None, show=None):
    "The positive semidefinite matrix nearest to this one in the Frobenius norm; with ones on the diagonal the nearest correlation matrix."
    return answer("NEARESTPSD", matrix, show)


@xw.func(category="portbal")
@xw.arg("benchmarkreturns", Cells, doc="Simple returns of the benchmark.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, a fraction.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_RISKAVERSION(benchmarkreturns=None, riskfree=None, periods=None):
    "The risk aversion at which holding the benchmark is best: excess return over variance."
    return answer("RISKAVERSION", benchmarkreturns, riskfree, periods)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights taken to be best, such as the market's.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskaversion", Cells, doc="Return asked for per unit of variance.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, which is added.")
@xw.ret(Cells)
def PORTBAL_IMPLIEDRETURNS(weights=None, cov=None, riskaversion=None, riskfree=None):
    "The returns a year at which these weights are best: equilibrium excess returns plus riskfree."
    return answer("IMPLIEDRETURNS", weights, cov, riskaversion, riskfree)


@xw.func(category="portbal")
@xw.arg("prior", Cells, doc="Prior returns a year, such as from IMPLIEDRETURNS.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("views", Cells, doc="View, Return, Confidence: text such as Germany - 0.4*France, names with signs in single quotes; or one column per asset, then Return, Confidence. Confidence is 0 to 1 or blank.")
@xw.arg("tau", Cells, doc="Uncertainty of the prior, as a multiple of cov.")
@xw.arg("uncertainty", Cells, doc="For views without confidence: he-litterman, or a table View, Variance (a pick matrix's views are named 1, 2, 3).")
@xw.ret(Cells)
def PORTBAL_BLACKLITTERMAN(prior=None, cov=None, views=None, tau=None, uncertainty=None):
    "Expected returns a year that blend a prior with views, each as far as it is trusted."
    return answer("BLACKLITTERMAN", prior, cov, views, tau, uncertainty)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("views", Cells, doc="View, Return, Confidence: text such as Germany - 0.4*France, names with signs in single quotes; or one column per asset, then Return, Confidence. Confidence is 0 to 1 or blank.")
@xw.arg("tau", Cells, doc="Uncertainty of the prior, as a multiple of cov.")
@xw.arg("uncertainty", Cells, doc="For views without confidence: he-litterman, or a table View, Variance (a pick matrix's views are named 1, 2, 3).")
@xw.ret(Cells)
def PORTBAL_BLCOVARIANCE(cov=None, views=None, tau=None, uncertainty=None):
    "The covariance of returns once the views are in: cov plus the posterior covariance of the mean."
    return answer("BLCOVARIANCE", cov, views, tau, uncertainty)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_MINVOLATILITY(cov=None, limits=None, assets=None, returns=None, periods=None):
    "The permitted weights with the least volatility."
    return answer("MINVOLATILITY", cov, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_MAXSHARPE(mu=None, cov=None, riskfree=None, limits=None, assets=None, returns=None, periods=None):
    "The permitted weights with the highest Sharpe ratio."
    return answer("MAXSHARPE", mu, cov, riskfree, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_MAXRETURN(mu=None, cov=None, limits=None, assets=None, returns=None, periods=None):
    "The permitted weights with the most expected return; give a volatility or tracking error row."
    return answer("MAXRETURN", mu, cov, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("target", Cells, doc="The least return wanted a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_TARGETRETURN(mu=None, cov=None, target=None, limits=None, assets=None, returns=None, periods=None):
    "The permitted weights with the least volatility that return at least the target."
    return answer("TARGETRETURN", mu, cov, target, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("target", Cells, doc="The most volatility allowed a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_TARGETVOLATILITY(mu=None, cov=None, target=None, limits=None, assets=None, returns=None, periods=None):
    "The permitted weights with the most return whose volatility is at most the target."
    return answer("TARGETVOLATILITY", mu, cov, target, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskaversion", Cells, doc="The price of variance, usually 1 to 10.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_MAXUTILITY(mu=None, cov=None, riskaversion=None, limits=None, assets=None, returns=None, periods=None):
    "The permitted weights with the most return less half the risk aversion times the variance."
    return answer("MAXUTILITY", mu, cov, riskaversion, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: a header row of names, dates first.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5% of periods.")
@xw.arg("target", Cells, doc="The least return wanted a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_MINCVAR(returns=None, level=None, target=None, limits=None, assets=None, periods=None):
    "The permitted weights with the least CVaR (expected shortfall) of the historical returns."
    return answer("MINCVAR", returns, level, target, limits, assets, periods)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("points", Cells, doc="How many portfolios, from least risk to most return.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_FRONTIER(mu=None, cov=None, points=None, limits=None, assets=None, returns=None, periods=None):
    "The efficient frontier: portfolios equally spaced in return, with their volatility."
    return answer("FRONTIER", mu, cov, points, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="The weights to check: assets and fractions.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark.")
@xw.arg("cov", Cells, doc="Covariance a year, for limits on risk.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("mu", Cells, doc="Expected returns a year, for a return row.")
@xw.ret(Cells)
def PORTBAL_CHECKLIMITS(weights=None, limits=None, assets=None, cov=None, returns=None, periods=None, mu=None):
    "Every limit with its value, its headroom and its status: ok, at limit or breach."
    return answer("CHECKLIMITS", weights, limits, assets, cov, returns, periods, mu)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_MAXDIVERSIFICATION(cov=None, limits=None, assets=None, returns=None, periods=None):
    "The permitted weights whose volatility is the smallest part of the average volatility."
    return answer("MAXDIVERSIFICATION", cov, limits, assets, returns, periods)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("budgets", Cells, doc="Share of the risk by asset, of sum 1; left out, equal shares.")
@xw.ret(Cells)
def PORTBAL_RISKPARITY(cov=None, budgets=None):
    "The long-only weights at which each asset contributes its budget of the volatility."
    return answer("RISKPARITY", cov, budgets)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("method", Cells, doc="Lopez-de-prado (distance of distances), plain (correlation distance, as PyPortfolioOpt), or ordered (plain, optimal leaf order).")
@xw.arg("linkage", Cells, doc="Single, complete, average, or ward.")
@xw.ret(Cells)
def PORTBAL_HRP(cov=None, method=None, linkage=None):
    "Hierarchical risk parity: weights split down a tree of assets that move alike."
    return answer("HRP", cov, method, linkage)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: a header row of names, dates first.")
@xw.arg("mu", Cells, doc="Expected returns a year; left out, the mean of returns.")
@xw.arg("cov", Cells, doc="Covariance a year; left out, that of returns.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.ret(Cells)
def PORTBAL_COMPARE(returns=None, mu=None, cov=None, limits=None, assets=None, periods=None):
    "The usual portfolios side by side: weights, then Return, Volatility and Sharpe a year, and the historical VaR and CVaR at 95% per return period."
    return answer("COMPARE", returns, mu, cov, limits, assets, periods)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.ret(Cells)
def PORTBAL_PORTRETURN(weights=None, mu=None):
    "The expected return a year of a portfolio."
    return answer("PORTRETURN", weights, mu)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.ret(Cells)
def PORTBAL_PORTVOLATILITY(weights=None, cov=None):
    "The volatility a year of a portfolio."
    return answer("PORTVOLATILITY", weights, cov)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, earned by what is not invested.")
@xw.ret(Cells)
def PORTBAL_SHARPE(weights=None, mu=None, cov=None, riskfree=None):
    "Expected return a year above riskfree, per unit of volatility."
    return answer("SHARPE", weights, mu, cov, riskfree)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum, held throughout; left out, returns has one column.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("method", Cells, doc="Historical, normal, or cornish-fisher (modified in PerformanceAnalytics).")
@xw.arg("horizon", Cells, doc="Return periods the loss builds up over.")
@xw.arg("options", Cells, doc="Option, value: moments = sample or population (normal, cornish-fisher); tail = fraction or beyond (historical).")
@xw.ret(Cells)
def PORTBAL_VAR(returns=None, weights=None, level=None, method=None, horizon=None, options=None):
    "Value at risk: the loss that is exceeded with probability 1 - level, per return period unless a horizon says otherwise. A negative one is a gain."
    return answer("VAR", returns, weights, level, method, horizon, options)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum, held throughout; left out, returns has one column.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("method", Cells, doc="Historical, normal, or cornish-fisher (modified in PerformanceAnalytics).")
@xw.arg("horizon", Cells, doc="Return periods the loss builds up over.")
@xw.arg("options", Cells, doc="Option, value: moments = sample or population (normal, cornish-fisher); tail = fraction or beyond (historical).")
@xw.ret(Cells)
def PORTBAL_CVAR(returns=None, weights=None, level=None, method=None, horizon=None, options=None):
    "Conditional value at risk: the mean loss of the worst share 1 - level of outcomes, per return period unless a horizon says otherwise."
    return answer("CVAR", returns, weights, level, method, horizon, options)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("groups", Cells, doc="Asset, Group: then one row a group, of its assets' sums.")
@xw.ret(Cells)
def PORTBAL_RISKCONTRIBUTION(weights=None, cov=None, groups=None):
    "How much each asset, or group, adds to the volatility; contributions add up to it."
    return answer("RISKCONTRIBUTION", weights, cov, groups)


@xw.func(category="portbal")
@xw.arg("current", Cells, doc="Weights held now: assets and fractions.")
@xw.arg("target", Cells, doc="Weights wanted: assets and fractions.")
@xw.ret(Cells)
def PORTBAL_TURNOVER(current=None, target=None):
    "Half the sum of absolute weight changes."
    return answer("TURNOVER", current, target)


@xw.func(category="portbal")
@xw.ret(Cells)
def PORTBAL_VERSION():
    "The version of portbal that answers."
    return answer("VERSION")


@xw.func(category="portbal")
@xw.ret(Cells)
def PORTBAL_FUNCTIONS():
    "Every portbal function with its group, its purpose and its arguments."
    return answer("FUNCTIONS")


@xw.func(category="portbal")
@xw.arg("range", Cells, doc="The cells to look at.")
@xw.ret(Cells)
def PORTBAL_PROBLEM(range=None):
    "TRUE if the range holds a portbal problem, else FALSE."
    return answer("PROBLEM", range)
