"""The suite: laws, held with real files in temporary folders and real subprocesses."""

import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # tests trace many small graphs
