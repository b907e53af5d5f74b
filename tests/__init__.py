"""The suite. Here before anything loads numpy: on a machine at work, two threads of linear algebra wait for each other."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
