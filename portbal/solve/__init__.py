"""The kernels: numpy in, numpy out. They know numbers and no names."""


class Infeasible(Exception):
    """No point satisfies the constraints."""


class Unbounded(Exception):
    """The objective improves without end."""


class Unproven(Exception):
    """The solver stopped before optimality was proved to the accuracy asked for."""
