"""`python -m autotroph.track RUN NAME`: the process of one tracker, which `autotroph run --track NAME` starts."""

import sys
from pathlib import Path

from autotroph.track.deliver import be_modest, deliver

be_modest()
deliver(Path(sys.argv[1]), sys.argv[2])
