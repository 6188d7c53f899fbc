"""`python -m autotroph`: the command line."""

from autotroph.cli.main import main

main()
