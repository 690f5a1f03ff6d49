"""The test suite. It works on real files in temporary folders and starts real processes."""

from gan3.core.startup import import_tensorflow

import_tensorflow()  # as the command line does
