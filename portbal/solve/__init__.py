"""The kernels: numpy in, numpy out. They know numbers and no names."""


class Infeasible(Exception):  # noqa: N818 - it is an answer, not a fault
    """No point satisfies the constraints."""


class Unbounded(Exception):  # noqa: N818
    """The objective improves without end."""


class Unproven(Exception):  # noqa: N818
    """The solver stopped before optimality was proved to the accuracy asked for."""
