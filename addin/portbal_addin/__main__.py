"""``python -m portbal_addin``: the same as the ``portbal`` command."""

import sys

from portbal_addin.cli import main

sys.exit(main())
