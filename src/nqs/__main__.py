"""`python -m nqs`."""

from nqs.workflow.cli import main

if __name__ == "__main__":
    main()
