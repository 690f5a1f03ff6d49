"""The suite: laws, held with real files in temporary folders and real subprocesses."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
