"""`python -m feedserver`."""

import sys

from feedserver.commands.program import main

sys.exit(main())
