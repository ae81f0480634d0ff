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
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_RETURNS(prices=None, kind=None, every=None, portbal_place=None):
    "Returns between successive prices, labelled with the later date."
    return answer("RETURNS", prices, kind, every, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("prices", Cells, doc="Prices: dates down, assets across. Blank cells and repeated dates are listed.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_CHECKDATA(prices=None, portbal_place=None):
    "What looks wrong in prices: gaps, stale runs, jumps that look like splits, outliers, short histories, duplicates. One row All, none when nothing does."
    return answer("CHECKDATA", prices, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across. A history may start later: leave blanks above it.")
@xw.arg("method", Cells, doc="Mean: the arithmetic mean times periods. compound: what wealth grew by a year.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("options", Cells, doc="Option, value; these methods take none.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MEANRETURN(returns=None, method=None, periods=None, options=None, portbal_place=None):
    "Expected returns a year, each from the asset's own history."
    return answer("MEANRETURN", returns, method, periods, options, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across. A history may start later: leave blanks above it.")
@xw.arg("method", Cells, doc="Sample (histories may start later), or ledoit-wolf: shrunk toward the identity.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("options", Cells, doc="Option indefinite, refuse or keep: what becomes of a matrix not positive semidefinite, as histories of different length can give.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_COVARIANCE(returns=None, method=None, periods=None, options=None, portbal_place=None):
    "The covariance of returns, a year."
    return answer("COVARIANCE", returns, method, periods, options, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("matrix", Cells, doc="A covariance or correlation matrix with names on both sides.")
@xw.arg("show", Cells, doc="Matrix, or change: the largest absolute change.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_NEARESTPSD(matrix=None, show=None, portbal_place=None):
    "The positive semidefinite matrix nearest to this one in the Frobenius norm; with ones on the diagonal the nearest correlation matrix."
    return answer("NEARESTPSD", matrix, show, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("benchmarkreturns", Cells, doc="Simple returns of the benchmark.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, a fraction.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_RISKAVERSION(benchmarkreturns=None, riskfree=None, periods=None, portbal_place=None):
    "The risk aversion at which holding the benchmark is best: excess return over variance."
    return answer("RISKAVERSION", benchmarkreturns, riskfree, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights taken to be best, such as the market's.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskaversion", Cells, doc="Return asked for per unit of variance.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, which is added.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_IMPLIEDRETURNS(weights=None, cov=None, riskaversion=None, riskfree=None, portbal_place=None):
    "The returns a year at which these weights are best: equilibrium excess returns plus riskfree."
    return answer("IMPLIEDRETURNS", weights, cov, riskaversion, riskfree, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("prior", Cells, doc="Prior returns a year, such as from IMPLIEDRETURNS.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("views", Cells, doc="View, Return, Confidence: text such as Germany - 0.4*France, names with signs in single quotes; or one column per asset, then Return, Confidence. Confidence is 0 to 1 or blank.")
@xw.arg("tau", Cells, doc="Uncertainty of the prior, as a multiple of cov.")
@xw.arg("uncertainty", Cells, doc="For views without confidence: he-litterman, or a table View, Variance (a pick matrix's views are named 1, 2, 3).")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_BLACKLITTERMAN(prior=None, cov=None, views=None, tau=None, uncertainty=None, portbal_place=None):
    "Expected returns a year that blend a prior with views, each as far as it is trusted."
    return answer("BLACKLITTERMAN", prior, cov, views, tau, uncertainty, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("views", Cells, doc="View, Return, Confidence: text such as Germany - 0.4*France, names with signs in single quotes; or one column per asset, then Return, Confidence. Confidence is 0 to 1 or blank.")
@xw.arg("tau", Cells, doc="Uncertainty of the prior, as a multiple of cov.")
@xw.arg("uncertainty", Cells, doc="For views without confidence: he-litterman, or a table View, Variance (a pick matrix's views are named 1, 2, 3).")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_BLCOVARIANCE(cov=None, views=None, tau=None, uncertainty=None, portbal_place=None):
    "The covariance of returns once the views are in: cov plus the posterior covariance of the mean."
    return answer("BLCOVARIANCE", cov, views, tau, uncertainty, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MINVOLATILITY(cov=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the least volatility."
    return answer("MINVOLATILITY", cov, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MAXSHARPE(mu=None, cov=None, riskfree=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the highest Sharpe ratio."
    return answer("MAXSHARPE", mu, cov, riskfree, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MAXRETURN(mu=None, cov=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the most expected return; give a volatility or tracking error row."
    return answer("MAXRETURN", mu, cov, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("target", Cells, doc="The least return wanted a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TARGETRETURN(mu=None, cov=None, target=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the least volatility that return at least the target."
    return answer("TARGETRETURN", mu, cov, target, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("target", Cells, doc="The most volatility allowed a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TARGETVOLATILITY(mu=None, cov=None, target=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the most return whose volatility is at most the target."
    return answer("TARGETVOLATILITY", mu, cov, target, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskaversion", Cells, doc="The price of variance, usually 1 to 10.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MAXUTILITY(mu=None, cov=None, riskaversion=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the most return less half the risk aversion times the variance."
    return answer("MAXUTILITY", mu, cov, riskaversion, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: a header row of names, dates first.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5% of periods.")
@xw.arg("target", Cells, doc="The least return wanted a year, a fraction.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MINCVAR(returns=None, level=None, target=None, limits=None, assets=None, periods=None, portbal_place=None):
    "The permitted weights with the least CVaR (expected shortfall) of the historical returns."
    return answer("MINCVAR", returns, level, target, limits, assets, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("points", Cells, doc="How many portfolios, from least risk to most return.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_FRONTIER(mu=None, cov=None, points=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The efficient frontier: portfolios equally spaced in return, with their volatility."
    return answer("FRONTIER", mu, cov, points, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MINTRACKING(cov=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the least tracking error to the Benchmark column of assets."
    return answer("MINTRACKING", cov, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: a header row of names, dates first.")
@xw.arg("measure", Cells, doc="One of cdar, average, maximum, ulcer.")
@xw.arg("level", Cells, doc="For cdar: 0.95 looks at the worst 5% of drawdowns.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MINDRAWDOWN(returns=None, measure=None, level=None, limits=None, assets=None, periods=None, portbal_place=None):
    "The permitted weights with the least drawdown of the cumulated returns, without compounding."
    return answer("MINDRAWDOWN", returns, measure, level, limits, assets, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("errors", Cells, doc="How wrong mu may be, a year: a covariance matrix, or one standard error an asset.")
@xw.arg("riskaversion", Cells, doc="The price of variance, usually 1 to 10.")
@xw.arg("kappa", Cells, doc="How many errors to guard against.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_ROBUST(mu=None, cov=None, errors=None, riskaversion=None, kappa=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights with the most utility when mu is as wrong as its errors allow."
    return answer("ROBUST", mu, cov, errors, riskaversion, kappa, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: a header row of names, dates first.")
@xw.arg("points", Cells, doc="How many portfolios, from least CVaR to most return.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5% of periods.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_CVARFRONTIER(returns=None, points=None, level=None, limits=None, assets=None, periods=None, portbal_place=None):
    "The frontier of return a year against CVaR a period, equally spaced in return."
    return answer("CVARFRONTIER", returns, points, level, limits, assets, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="The weights to check: assets and fractions.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark.")
@xw.arg("cov", Cells, doc="Covariance a year, for limits on risk.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("mu", Cells, doc="Expected returns a year, for a return row.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_CHECKLIMITS(weights=None, limits=None, assets=None, cov=None, returns=None, periods=None, mu=None, portbal_place=None):
    "Every limit with its value, its headroom and its status: ok, at limit or breach."
    return answer("CHECKLIMITS", weights, limits, assets, cov, returns, periods, mu, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_MAXDIVERSIFICATION(cov=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "The permitted weights whose volatility is the smallest part of the average volatility."
    return answer("MAXDIVERSIFICATION", cov, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("budgets", Cells, doc="Share of the risk by asset, of sum 1; left out, equal shares.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_RISKPARITY(cov=None, budgets=None, portbal_place=None):
    "The long-only weights at which each asset contributes its budget of the volatility."
    return answer("RISKPARITY", cov, budgets, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("method", Cells, doc="Lopez-de-prado (distance of distances), plain (correlation distance, as PyPortfolioOpt), or ordered (plain, optimal leaf order).")
@xw.arg("linkage", Cells, doc="Single, complete, average, or ward.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_HRP(cov=None, method=None, linkage=None, portbal_place=None):
    "Hierarchical risk parity: weights split down a tree of assets that move alike."
    return answer("HRP", cov, method, linkage, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: a header row of names, dates first.")
@xw.arg("mu", Cells, doc="Expected returns a year; left out, the mean of returns.")
@xw.arg("cov", Cells, doc="Covariance a year; left out, that of returns.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_COMPARE(returns=None, mu=None, cov=None, limits=None, assets=None, periods=None, portbal_place=None):
    "The usual portfolios side by side: weights, then Return, Volatility and Sharpe a year, and the historical VaR and CVaR at 95% per return period."
    return answer("COMPARE", returns, mu, cov, limits, assets, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("errors", Cells, doc="How wrong mu may be, a year: a covariance matrix, or one standard error an asset.")
@xw.arg("runs", Cells, doc="How often mu is drawn anew.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("seed", Cells, doc="Another seed gives other draws.")
@xw.arg("returns", Cells, doc="Simple returns, for what needs scenarios.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_SENSITIVITY(mu=None, cov=None, errors=None, runs=None, limits=None, assets=None, seed=None, returns=None, periods=None, portbal_place=None):
    "How much max Sharpe weights move when mu moves within its errors: 5% and 95% quantiles."
    return answer("SENSITIVITY", mu, cov, errors, runs, limits, assets, seed, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="The weights to look at: assets and fractions.")
@xw.arg("objective", Cells, doc="In words, with the parameter: min volatility, max sharpe 2%, max return, target return 6%, target volatility 10%, max utility 3, min cvar 95%.")
@xw.arg("mu", Cells, doc="Expected returns a year, where the objective needs them.")
@xw.arg("cov", Cells, doc="Covariance a year, where the objective needs it.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for what needs scenarios.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_EXPLAIN(weights=None, objective=None, mu=None, cov=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "Which limits bind, and what the objective would gain if each were loosened."
    return answer("EXPLAIN", weights, objective, mu, cov, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark.")
@xw.arg("mu", Cells, doc="Expected returns a year, for a return row.")
@xw.arg("cov", Cells, doc="Covariance a year, for limits on risk.")
@xw.arg("returns", Cells, doc="Simple returns, for what needs scenarios.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_DIAGNOSE(limits=None, assets=None, mu=None, cov=None, returns=None, periods=None, portbal_place=None):
    "Which limits cannot hold together, and the least change of each that alone cures it."
    return answer("DIAGNOSE", limits, assets, mu, cov, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="The weights to look at: assets and fractions.")
@xw.arg("objective", Cells, doc="In words, with the parameter: min volatility, max sharpe 2%, max return, target return 6%, target volatility 10%, max utility 3, min cvar 95%.")
@xw.arg("mu", Cells, doc="Expected returns a year, where the objective needs them.")
@xw.arg("cov", Cells, doc="Covariance a year, where the objective needs it.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark, Current.")
@xw.arg("returns", Cells, doc="Simple returns, for what needs scenarios.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_VERIFY(weights=None, objective=None, mu=None, cov=None, limits=None, assets=None, returns=None, periods=None, portbal_place=None):
    "A second opinion: the limits, the optimality, and the objective solved again by others."
    return answer("VERIFY", weights, objective, mu, cov, limits, assets, returns, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_PORTRETURN(weights=None, mu=None, portbal_place=None):
    "The expected return a year of a portfolio."
    return answer("PORTRETURN", weights, mu, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_PORTVOLATILITY(weights=None, cov=None, portbal_place=None):
    "The volatility a year of a portfolio."
    return answer("PORTVOLATILITY", weights, cov, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, earned by what is not invested.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_SHARPE(weights=None, mu=None, cov=None, riskfree=None, portbal_place=None):
    "Expected return a year above riskfree, per unit of volatility."
    return answer("SHARPE", weights, mu, cov, riskfree, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum, held throughout; left out, returns has one column.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("method", Cells, doc="Historical, normal, cornish-fisher (modified in PerformanceAnalytics), student, filtered (GARCH or EWMA), evt (peaks over threshold), or montecarlo.")
@xw.arg("horizon", Cells, doc="Return periods the loss builds up over; 1 for filtered and evt.")
@xw.arg("options", Cells, doc="Option, value: historical tail, quantile, horizon; normal, cornish-fisher moments; filtered filter, decay; evt threshold; montecarlo distribution, paths, seed.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_VAR(returns=None, weights=None, level=None, method=None, horizon=None, options=None, portbal_place=None):
    "Value at risk: the loss that is exceeded with probability 1 - level, per return period unless a horizon says otherwise. A negative one is a gain."
    return answer("VAR", returns, weights, level, method, horizon, options, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum, held throughout; left out, returns has one column.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("method", Cells, doc="Historical, normal, cornish-fisher (modified in PerformanceAnalytics), student, filtered (GARCH or EWMA), evt (peaks over threshold), or montecarlo.")
@xw.arg("horizon", Cells, doc="Return periods the loss builds up over; 1 for filtered and evt.")
@xw.arg("options", Cells, doc="Option, value: historical tail, quantile, horizon; normal, cornish-fisher moments; filtered filter, decay; evt threshold; montecarlo distribution, paths, seed.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_CVAR(returns=None, weights=None, level=None, method=None, horizon=None, options=None, portbal_place=None):
    "Conditional value at risk: the mean loss of the worst share 1 - level of outcomes, per return period unless a horizon says otherwise."
    return answer("CVAR", returns, weights, level, method, horizon, options, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, one column an asset.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("method", Cells, doc="Historical, normal, cornish-fisher (modified in PerformanceAnalytics), student, filtered (GARCH or EWMA), evt (peaks over threshold), or montecarlo.")
@xw.arg("horizon", Cells, doc="Return periods the loss builds up over; 1 for filtered and evt.")
@xw.arg("options", Cells, doc="Option, value: historical tail, quantile, horizon; normal, cornish-fisher moments; filtered filter, decay; evt threshold; montecarlo distribution, paths, seed.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TAILRISK(returns=None, level=None, method=None, horizon=None, options=None, portbal_place=None):
    "VaR and CVaR of every column of returns by itself, by any method of VAR."
    return answer("TAILRISK", returns, level, method, horizon, options, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, one column an asset.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("levels", Cells, doc="Levels in a row or column; left out, 95% and 99%.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_RISKTABLE(returns=None, weights=None, levels=None, portbal_place=None):
    "VaR and CVaR of a portfolio by every method side by side, one period ahead; blank, with a note, where a method has no answer."
    return answer("RISKTABLE", returns, weights, levels, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("groups", Cells, doc="Asset, Group: then one row a group, of its assets' sums.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_RISKCONTRIBUTION(weights=None, cov=None, groups=None, portbal_place=None):
    "How much each asset, or group, adds to the volatility; contributions add up to it."
    return answer("RISKCONTRIBUTION", weights, cov, groups, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("groups", Cells, doc="Asset, Group: then one row a group, of its assets' sums.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_INCREMENTALRISK(weights=None, cov=None, groups=None, portbal_place=None):
    "What each asset, or group, adds to the volatility by being there at all: the volatility less that of the portfolio in which it is cash."
    return answer("INCREMENTALRISK", weights, cov, groups, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, one column an asset.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("method", Cells, doc="Historical, normal, cornish-fisher or student.")
@xw.arg("groups", Cells, doc="Asset, Group: then one row a group, of its assets' sums.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TAILCONTRIBUTION(returns=None, weights=None, level=None, method=None, groups=None, portbal_place=None):
    "How much each asset, or group, adds to VaR and CVaR; the parts add up to them, Share is of CVaR."
    return answer("TAILCONTRIBUTION", returns, weights, level, method, groups, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, one column an asset.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("method", Cells, doc="Historical, normal, cornish-fisher (modified in PerformanceAnalytics), student, filtered (GARCH or EWMA), evt (peaks over threshold), or montecarlo.")
@xw.arg("groups", Cells, doc="Asset, Group: then one row a group, of its assets' sums.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TAILINCREMENT(returns=None, weights=None, level=None, method=None, groups=None, portbal_place=None):
    "What each asset, or group, adds to VaR and CVaR by being there at all; Alone is the CVaR of its position by itself."
    return answer("TAILINCREMENT", returns, weights, level, method, groups, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum, held throughout; left out, returns has one column.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("window", Cells, doc="Return periods in a window, such as 250 days.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_STRESSEDVAR(returns=None, weights=None, level=None, window=None, portbal_place=None):
    "Historical VaR and CVaR of today's weights in the worst window of the history, and in the latest one."
    return answer("STRESSEDVAR", returns, weights, level, window, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum, held throughout; left out, returns has one column.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_DRAWDOWN(returns=None, weights=None, portbal_place=None):
    "The ten deepest falls of compounded wealth from a peak: how deep, when, and how many periods until the peak was reached again."
    return answer("DRAWDOWN", returns, weights, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns of the portfolio: one column, or with weights one an asset.")
@xw.arg("var", Cells, doc="VaR forecasts, positive: one number, or one a period with its date.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%.")
@xw.arg("window", Cells, doc="The last periods that the Basel zone looks at.")
@xw.arg("shortfall", Cells, doc="CVaR forecasts of the same level, for the expected shortfall row.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum, held throughout; left out, returns has one column.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_VARTEST(returns=None, var=None, level=None, window=None, shortfall=None, weights=None, portbal_place=None):
    "Backtests of a VaR: Kupiec's count, Christoffersen's independence, both jointly, the Basel zone, the durations between exceptions and, with CVaR, Acerbi and Szekely's test."
    return answer("VARTEST", returns, var, level, window, shortfall, weights, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("benchmark", Cells, doc="The benchmark's weights by asset; they sum to 1.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TRACKINGERROR(weights=None, benchmark=None, cov=None, portbal_place=None):
    "The volatility a year of the difference between portfolio and benchmark."
    return answer("TRACKINGERROR", weights, benchmark, cov, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("benchmark", Cells, doc="The benchmark's weights by asset; they sum to 1.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_BETA(weights=None, benchmark=None, cov=None, portbal_place=None):
    "How much the portfolio is expected to move when the benchmark moves by one."
    return answer("BETA", weights, benchmark, cov, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("benchmark", Cells, doc="The benchmark's weights by asset; they sum to 1.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_ACTIVESHARE(weights=None, benchmark=None, portbal_place=None):
    "Half the sum of absolute differences between the weights of portfolio and benchmark."
    return answer("ACTIVESHARE", weights, benchmark, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, assets across.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("candidates", Cells, doc="Returns of candidate benchmarks for the same dates, one a column.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_BENCHMARKFIT(returns=None, weights=None, candidates=None, periods=None, portbal_place=None):
    "Which benchmark a portfolio is most like, best first; Weight is that of the mix of candidates that tracks it best (style regression)."
    return answer("BENCHMARKFIT", returns, weights, candidates, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, one series a column.")
@xw.arg("benchmarkreturns", Cells, doc="Simple returns of the benchmark for the same dates.")
@xw.arg("riskfree", Cells, doc="Riskfree rate a year, a fraction.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_PERFORMANCE(returns=None, benchmarkreturns=None, riskfree=None, periods=None, portbal_place=None):
    "Return, risk and ratios of each series; with a benchmark also alpha, beta, tracking error, information ratio and capture."
    return answer("PERFORMANCE", returns, benchmarkreturns, riskfree, periods, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="The portfolio's weights by asset; they sum to 1.")
@xw.arg("benchmark", Cells, doc="The benchmark's weights by asset; they sum to 1.")
@xw.arg("returns", Cells, doc="The period's return of each asset in the portfolio.")
@xw.arg("benchmarkreturns", Cells, doc="The period's return of each asset in the benchmark.")
@xw.arg("groups", Cells, doc="Asset, Group: the group of every asset.")
@xw.arg("method", Cells, doc="Brinson-fachler or brinson-hood-beebower.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_ATTRIBUTION(weights=None, benchmark=None, returns=None, benchmarkreturns=None, groups=None, method=None, portbal_place=None):
    "Where one period's return ahead of the benchmark came from, by group; totals add up to it."
    return answer("ATTRIBUTION", weights, benchmark, returns, benchmarkreturns, groups, method, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("effects", Cells, doc="One row a period, one column an effect, and no column of totals.")
@xw.arg("portfolioreturns", Cells, doc="The portfolio's return in each of the periods.")
@xw.arg("benchmarkreturns", Cells, doc="The benchmark's return in each of the periods.")
@xw.arg("method", Cells, doc="Carino, menchero, grap or frongello.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_ATTRIBUTIONLINK(effects=None, portfolioreturns=None, benchmarkreturns=None, method=None, portbal_place=None):
    "Effects of single periods as effects of all of them, which add up to the compounded return ahead of the benchmark."
    return answer("ATTRIBUTIONLINK", effects, portfolioreturns, benchmarkreturns, method, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns: dates down, one column an asset.")
@xw.arg("share", Cells, doc="The share of periods that count as stressed.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_CORRELATIONSHIFT(returns=None, share=None, portbal_place=None):
    "Correlations in calm periods and in the 10% with the lowest equal-weighted return; the note has the effective number of bets in both."
    return answer("CORRELATIONSHIFT", returns, share, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("shocks", Cells, doc="Where, Shock: an asset, a group such as 'Sector Energy', a numeric column of assets such as Beta, or all; and its return. The most particular row decides.")
@xw.arg("assets", Cells, doc="Asset first, then groupings and exposures that Where names.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_STRESS(weights=None, shocks=None, assets=None, portbal_place=None):
    "What each asset loses under given shocks; the note has the portfolio's loss."
    return answer("STRESS", weights, shocks, assets, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: one limit a row.")
@xw.arg("assets", Cells, doc="Asset first, then groupings, exposures, Benchmark.")
@xw.arg("shocks", Cells, doc="Scenario, Where, Shock: as for STRESS, any number of rows a scenario.")
@xw.arg("show", Cells, doc="Matrix: one row a limit, one column a scenario; details: values before and after; scenarios: loss and breaches of each.")
@xw.arg("cov", Cells, doc="Covariance a year, for limits on risk.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("mu", Cells, doc="Expected returns a year, for a return row.")
@xw.arg("more", Cells, doc="Further scenarios, after those of shocks, such as SCENARIOSHOCKS(returns).")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_STRESSLIMITS(weights=None, limits=None, assets=None, shocks=None, show=None, cov=None, returns=None, periods=None, mu=None, more=None, portbal_place=None):
    "Which limit breaks in which scenario, when weights move with the shocks and nothing is traded."
    return answer("STRESSLIMITS", weights, limits, assets, shocks, show, cov, returns, periods, mu, more, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_SCENARIOS(portbal_place=None):
    "Sixteen stressed windows of the past by their closing dates, with the move of the S&P 500 without dividends."
    return answer("SCENARIOS", portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("returns", Cells, doc="Simple returns with dates, one column an asset; a history may start later.")
@xw.arg("fromdate", Cells, doc="The closing date before the window, or a name of SCENARIOS().")
@xw.arg("untildate", Cells, doc="The last date of the window; left out, that of returns. Not with a name.")
@xw.arg("factors", Cells, doc="Returns of longer histories: an asset that does not reach back is proxied by its betas.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_SCENARIO(weights=None, returns=None, fromdate=None, untildate=None, factors=None, portbal_place=None):
    "What each asset earned, and today's weights lost, in a window of the past: the returns after fromdate up to untildate, compounded."
    return answer("SCENARIO", weights, returns, fromdate, untildate, factors, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("returns", Cells, doc="Simple returns with dates, one column an asset; a history may start later.")
@xw.arg("factors", Cells, doc="Returns of longer histories: an asset that does not reach back is proxied by its betas.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_SCENARIOSHOCKS(returns=None, factors=None, portbal_place=None):
    "What each asset earned in every window of SCENARIOS that the returns cover, as the shocks that STRESSLIMITS takes; the note names the windows that are left out."
    return answer("SCENARIOSHOCKS", returns, factors, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_FEDSCENARIO(portbal_place=None):
    "The domestic path of the Federal Reserve's severely adverse scenario of 2025; growth, rates and yields are fractions a year, levels as published."
    return answer("FEDSCENARIO", portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("correlation", Cells, doc="What the correlations move to, such as 0.9.")
@xw.arg("strength", Cells, doc="How far they move: 0 not at all, 1 all the way.")
@xw.arg("groups", Cells, doc="Asset, Group: then only correlations within a group move.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_STRESSCORRELATION(cov=None, correlation=None, strength=None, groups=None, portbal_place=None):
    "The covariance if correlations moved towards a value; volatilities stay, and the matrix is positive semidefinite."
    return answer("STRESSCORRELATION", cov, correlation, strength, groups, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("loss", Cells, doc="The loss to explain, a positive fraction.")
@xw.arg("days", Cells, doc="Trading days the move takes, of 252 a year.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_REVERSESTRESS(weights=None, cov=None, loss=None, days=None, portbal_place=None):
    "The most likely move of all assets that loses so much; Distance is the number of deviations of the portfolio, the same in every row."
    return answer("REVERSESTRESS", weights, cov, loss, days, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("weights", Cells, doc="Weights by asset, of any sum; an absent asset has 0.")
@xw.arg("years", Cells, doc="How many years ahead, up to 100.")
@xw.arg("paths", Cells, doc="How many paths, 100 to 1,000,000.")
@xw.arg("distribution", Cells, doc="Normal, student, or bootstrap.")
@xw.arg("seed", Cells, doc="The same seed gives the same paths.")
@xw.arg("returns", Cells, doc="Past returns, whose blocks the bootstrap draws.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("options", Cells, doc="Option, value: student freedom (5); bootstrap block, the length of a block in periods.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_SIMULATE(mu=None, cov=None, weights=None, years=None, paths=None, distribution=None, seed=None, returns=None, periods=None, options=None, portbal_place=None):
    "Percentiles of wealth from 1 at the end of each year, and the chance that it is below 1."
    return answer("SIMULATE", mu, cov, weights, years, paths, distribution, seed, returns, periods, options, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity (negative for a short position), Price; a row Cash has price 1.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("method", Cells, doc="Whether the distance is k deviations, or the normal VaR or CVaR, of the days.")
@xw.arg("days", Cells, doc="Trading days that the stop is for, 252 a year.")
@xw.arg("k", Cells, doc="Deviations to the stop, for the method volatility.")
@xw.arg("level", Cells, doc="0.95 looks at the worst 5%, for var and cvar.")
@xw.arg("budget", Cells, doc="What all stops together may lose, a fraction of net assets; or one a group (an asset, without groups). Distances are scaled to it.")
@xw.arg("groups", Cells, doc="Asset, Group: the budget is shared equally over groups, each scaled by its own factor.")
@xw.arg("tick", Cells, doc="What prices move by, one number or one an asset; levels are rounded towards the price.")
@xw.arg("gap", Cells, doc="How much worse than the stop an order may be filled, a fraction of it.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_STOPLOSS(holdings=None, cov=None, method=None, days=None, k=None, level=None, budget=None, groups=None, tick=None, gap=None, portbal_place=None):
    "Stop prices by volatility, VaR or CVaR, or so that all stops together lose a budget; losses are fractions of net assets."
    return answer("STOPLOSS", holdings, cov, method, days, k, level, budget, groups, tick, gap, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity (negative for a short position), Price; a row Cash has price 1.")
@xw.arg("mu", Cells, doc="Expected returns a year: assets and fractions.")
@xw.arg("cov", Cells, doc="Covariance a year, with names on both sides.")
@xw.arg("days", Cells, doc="Trading days to the target, 252 a year.")
@xw.arg("stops", Cells, doc="Stop prices: Asset, Stop; or the table that STOPLOSS returns.")
@xw.arg("tick", Cells, doc="What prices move by, one number or one an asset; levels are rounded towards the price.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TAKEPROFIT(holdings=None, mu=None, cov=None, days=None, stops=None, tick=None, portbal_place=None):
    "Target prices from expected returns, the chance to touch each within the days, before its stop, and the chance that the stop is touched first."
    return answer("TAKEPROFIT", holdings, mu, cov, days, stops, tick, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("price", Cells, doc="The price now.")
@xw.arg("level", Cells, doc="The price to touch, above or below.")
@xw.arg("mu", Cells, doc="Expected return a year, a fraction.")
@xw.arg("volatility", Cells, doc="Volatility a year, a fraction.")
@xw.arg("days", Cells, doc="Trading days within which it is touched, 252 a year.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TOUCHPROBABILITY(price=None, level=None, mu=None, volatility=None, days=None, portbal_place=None):
    "The chance that a price, a geometric Brownian path with drift mu, touches a level within so many trading days."
    return answer("TOUCHPROBABILITY", price, level, mu, volatility, days, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("prices", Cells, doc="Closes: dates down, assets across.")
@xw.arg("k", Cells, doc="Mean absolute moves between the highest close and stop.")
@xw.arg("window", Cells, doc="Moves, from close to close, in the mean.")
@xw.arg("tick", Cells, doc="What prices move by, one number or one an asset; levels are rounded towards the price.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TRAILINGSTOP(prices=None, k=None, window=None, tick=None, portbal_place=None):
    "The highest close less k times the mean absolute move over the window, as a stop that never moves away from the price, and when a close first reached it."
    return answer("TRAILINGSTOP", prices, k, window, tick, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity, Price; a row Cash has price 1.")
@xw.arg("target", Cells, doc="Weights wanted, summing to 1: assets and fractions.")
@xw.arg("bands", Cells, doc="Half the width of the band: one number, or one an asset.")
@xw.arg("kind", Cells, doc="Whether bands are weights, fractions of the target, or multiples of volatility times it.")
@xw.arg("cov", Cells, doc="Covariance a year, for volatility bands.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_DRIFT(holdings=None, target=None, bands=None, kind=None, cov=None, portbal_place=None):
    "How far each holding is from its target, and whether it has left its band."
    return answer("DRIFT", holdings, target, bands, kind, cov, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity, Price; a row Cash has price 1.")
@xw.arg("target", Cells, doc="Weights wanted, summing to 1: assets and fractions.")
@xw.arg("policy", Cells, doc="How far to go back once a band is left: to target, to the edge of the band, half way between, or as far as it is worth its cost.")
@xw.arg("bands", Cells, doc="Half the width of the band: one number, or one an asset.")
@xw.arg("kind", Cells, doc="Whether bands are weights, fractions of the target, or multiples of volatility times it.")
@xw.arg("cov", Cells, doc="Covariance a year, for volatility bands and the policy cost.")
@xw.arg("flow", Cells, doc="Money that comes in, or goes out if negative; used first.")
@xw.arg("assets", Cells, doc="Asset first; Cost, for the policy cost.")
@xw.arg("options", Cells, doc="Option, value, for the policy cost: riskaversion (2.5), years (1) over which a trade pays.")
@xw.arg("every", Cells, doc="Look at the bands only once the month, quarter or year of lastdate is over.")
@xw.arg("lastdate", Cells, doc="When it was rebalanced last, for every.")
@xw.arg("today", Cells, doc="The date of today, for every.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_REBALANCE(holdings=None, target=None, policy=None, bands=None, kind=None, cov=None, flow=None, assets=None, options=None, every=None, lastdate=None, today=None, portbal_place=None):
    "The weights to trade to once a band is left; those of now while none is."
    return answer("REBALANCE", holdings, target, policy, bands, kind, cov, flow, assets, options, every, lastdate, today, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity, Price; a row Cash has price 1.")
@xw.arg("target", Cells, doc="Weights wanted, summing to 1: assets and fractions.")
@xw.arg("cash", Cells, doc="Cash to invest beside a Cash row, in money.")
@xw.arg("limits", Cells, doc="Limit, Min, Max: what must hold after trading.")
@xw.arg("assets", Cells, doc="Asset first; Lot, and Price for what is not held.")
@xw.arg("options", Cells, doc="Option, value: fee (an order), commission (fraction), per share, minimum (of these), tax (fraction of sales), ticket (least value), spread (fraction, or Cost: the column), impact (fraction at a day's volume).")
@xw.arg("cov", Cells, doc="Covariance a year, for limits that need it.")
@xw.arg("returns", Cells, doc="Simple returns, for limits that need more than the rest tells.")
@xw.arg("periods", Cells, doc="Return periods a year, such as 252; left out, read from the dates.")
@xw.arg("mu", Cells, doc="Expected returns a year, for a limit on return.")
@xw.arg("lasttarget", Cells, doc="The weights wanted before: tells a new target from drift.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_ORDERS(holdings=None, target=None, cash=None, limits=None, assets=None, options=None, cov=None, returns=None, periods=None, mu=None, lasttarget=None, portbal_place=None):
    "The whole-lot orders that lead nearest to the target, within cash, costs and limits."
    return answer("ORDERS", holdings, target, cash, limits, assets, options, cov, returns, periods, mu, lasttarget, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("orders", Cells, doc="What ORDERS returns; Asset, Quantity, Price suffice.")
@xw.arg("assets", Cells, doc="Asset first; Cost (the spread paid, a fraction), ADV and Volatility (the impact).")
@xw.arg("options", Cells, doc="Option, value as for ORDERS; without fee, commission, per share, minimum and tax the Cost of orders is the commission.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TRADECOST(orders=None, assets=None, options=None, portbal_place=None):
    "What orders cost in money: commission and taxes, the spread, and what the price moves."
    return answer("TRADECOST", orders, assets, options, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("current", Cells, doc="Weights held now: assets and fractions.")
@xw.arg("target", Cells, doc="Weights wanted: assets and fractions.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TURNOVER(current=None, target=None, portbal_place=None):
    "Half the sum of absolute weight changes."
    return answer("TURNOVER", current, target, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity, Price; a row Cash has price 1.")
@xw.arg("assets", Cells, doc="Asset first, and ADV: traded value a day in base currency, for every asset held.")
@xw.arg("participation", Cells, doc="The share of a day's trading that one may be, above 0 and up to 1.")
@xw.arg("show", Cells, doc="Assets: days to sell each; ladder: the share of net assets that is cash within 1, 5, 20, 60 days.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_LIQUIDITY(holdings=None, assets=None, participation=None, show=None, portbal_place=None):
    "How many days it takes to sell each holding, and the ladder of what is cash within so many days; cash takes 0 days."
    return answer("LIQUIDITY", holdings, assets, participation, show, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity, Price; a row Cash has price 1.")
@xw.arg("assets", Cells, doc="Asset first, ADV (traded value a day) for every asset held, and Cost (fraction of traded value) if any.")
@xw.arg("flows", Cells, doc="Date, Flow: oldest first; negative is paid, positive received.")
@xw.arg("participation", Cells, doc="The share of a day's trading that one may be, above 0 and up to 1.")
@xw.arg("start", Cells, doc="The first day on which one may sell; left out, the first date of flows.")
@xw.arg("settlement", Cells, doc="Trading days from a sale to its cash; 0: same day.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_CASHPLAN(holdings=None, assets=None, flows=None, participation=None, start=None, settlement=None, portbal_place=None):
    "What pays each flow: cash first, then sales within ADV until its date, the cheapest first and then the most liquid."
    return answer("CASHPLAN", holdings, assets, flows, participation, start, settlement, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("holdings", Cells, doc="Asset, Quantity, Price; a row Cash has price 1.")
@xw.arg("target", Cells, doc="Weights wanted, summing to 1: assets and fractions.")
@xw.arg("futures", Cells, doc="Contract; Asset or group (all, an asset, 'Sector Energy'); Multiplier; Price; Margin and Cost (money a contract); Beta (of the asset or group to it); optional Roll (a year, of notional, paid by longs), Rolls (a year).")
@xw.arg("assets", Cells, doc="Asset first, groupings, and Cost (fraction of traded value) to compare with cash trades.")
@xw.arg("days", Cells, doc="How long it is to be held, of 252 days a year.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_HEDGE(holdings=None, target=None, futures=None, assets=None, days=None, portbal_place=None):
    "Whole futures contracts that bring the portfolio nearest to its target; notes say until when they are cheaper than cash trades."
    return answer("HEDGE", holdings, target, futures, assets, days, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("lots", Cells, doc="Lot, Asset, Date (bought), Quantity, Cost (paid for one unit).")
@xw.arg("sells", Cells, doc="Asset, Date, Quantity (positive), Price (of one unit).")
@xw.arg("method", Cells, doc="Fifo: the oldest lot first; lifo: the newest; hifo: the highest cost; mintax: least tax over all sales.")
@xw.arg("shortrate", Cells, doc="Tax on gains held up to a year, a fraction.")
@xw.arg("longrate", Cells, doc="Tax on gains held for longer, a fraction.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_TAXLOTS(lots=None, sells=None, method=None, shortrate=None, longrate=None, portbal_place=None):
    "Which lots each sale takes, and the gain on them: short up to a year, long after it; notes have the tax and wash sales."
    return answer("TAXLOTS", lots, sells, method, shortrate, longrate, portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_VERSION(portbal_place=None):
    "The version of portbal that answers."
    return answer("VERSION", portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_FUNCTIONS(portbal_place=None):
    "Every portbal function with its group, its purpose and its arguments."
    return answer("FUNCTIONS", portbal_place=portbal_place)


@xw.func(category="portbal")
@xw.arg("range", Cells, doc="The cells to look at.")
@xw.arg("portbal_place", vba="CallerPlace()")
@xw.ret(Cells)
def PORTBAL_PROBLEM(range=None, portbal_place=None):
    "TRUE if the range holds a portbal problem, else FALSE."
    return answer("PROBLEM", range, portbal_place=portbal_place)
