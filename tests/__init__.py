"""The suite: laws, held with real files in temporary folders and real subprocesses."""

import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # the kernels of the command line
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # tests trace many small graphs
