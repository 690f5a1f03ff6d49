"""`python -m gan3`."""

import sys

from gan3.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
