"""`python -m publisher` is `publisher`."""

import sys

from publisher.cli import main

sys.exit(main())
