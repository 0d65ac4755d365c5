"""`python -m nqs`."""

import sys

from nqs.workflow.fork_client import run_on_server

if __name__ == "__main__":
    run_on_server(sys.argv[1:])

    from nqs.workflow.cli import main

    main()
