"""The test suite. It works on real files in temporary folders and starts real processes."""

import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command line sets it
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of the many small graphs
