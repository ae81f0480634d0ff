"""Expected returns and covariances from past returns."""

from __future__ import annotations

from typing import Annotated

import pandas as pd

from portbal import matrices
from portbal.estimate import covariance as covariances
from portbal.estimate import expected
from portbal.result import Noted
from portbal_addin.codecs.labelled import MATRIX, MATRIX_OR_NUMBER, RAGGED_TABLE, vector_result
from portbal_addin.codecs.scalars import NUMBER, OPTIONS, TEXT, choice
from portbal_addin.registry import function

Returns = Annotated[
    pd.DataFrame, RAGGED_TABLE,
    "Simple returns: dates down, assets across. A history may start later: leave blanks above it.",
]
Periods = Annotated[
    float | None, NUMBER, "Return periods a year, such as 252; left out, read from the dates."
]


@function("MEANRETURN", group="Estimates")
def meanreturn(
    returns: Returns,
    method: Annotated[
        str, TEXT, "Mean: the arithmetic mean times periods. compound: what wealth grew by a year."
    ] = "mean",
    periods: Periods = None,
    options: Annotated[
        dict[str, object] | None, OPTIONS, "Option, value; these methods take none."
    ] = None,
) -> Annotated[pd.Series, vector_result("Return")]:
    """Expected returns a year, each from the asset's own history.

    >>> PORTBAL.MEANRETURN({"A","B";0.02,0.01;0.04,-0.01;0,0.03}, "mean", 12)
    {"Asset","Return";"A",0.24;"B",0.12}
    """
    return expected.estimate(returns, method, periods, options)


@function("COVARIANCE", group="Estimates")
def covariance(
    returns: Returns,
    method: Annotated[
        str, TEXT, "Sample (histories may start later), or ledoit-wolf: shrunk toward the identity."
    ] = "sample",
    periods: Periods = None,
    options: Annotated[
        dict[str, object] | None, OPTIONS,
        "Option indefinite, refuse or keep: what becomes of a matrix not positive semidefinite, "
        "as histories of different length can give.",
    ] = None,
) -> Annotated[Noted[pd.DataFrame], MATRIX]:
    """The covariance of returns, a year.

    >>> PORTBAL.COVARIANCE({"A","B";0.02,0.01;0.04,-0.01;0,0.03}, "sample", 12)
    {"","A","B";"A",0.0048,-0.0048;"B",-0.0048,0.0048}
    """
    return covariances.estimate(returns, method, periods, options)


@function("NEARESTPSD", group="Estimates")
def nearestpsd(
    matrix: Annotated[
        pd.DataFrame, MATRIX, "A covariance or correlation matrix with names on both sides."
    ],
    show: Annotated[
        str, choice("matrix", "change"), "Matrix, or change: the largest absolute change."
    ] = "matrix",
) -> Annotated[Noted[pd.DataFrame] | Noted[float], MATRIX_OR_NUMBER]:
    """The positive semidefinite matrix nearest to this one in the Frobenius norm; with ones on
    the diagonal the nearest correlation matrix.

    >>> PORTBAL.NEARESTPSD({"","A","B";"A",1,2;"B",2,1})
    {"","A","B";"A",1,1;"B",1,1}
    """
    nearest = matrices.nearest_psd(matrix)
    return nearest if show == "matrix" else matrices.largest_change(matrix, nearest)
