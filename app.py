"""Start the page: python app.py (or: make demo). On a Space this file is run as it is."""

import sys

try:
    from space import build_demo, launch_options
    from zoo import ZooError
    from zoo.cli import fail, tidy_end

    try:
        demo = build_demo()
    except ZooError as error:
        sys.exit(fail(error))
except KeyboardInterrupt:  # while the libraries are imported, which takes seconds
    sys.exit(130)

if __name__ == "__main__":
    with tidy_end():  # or SIGTERM would leave visitors' photos on the disk
        demo.launch(**launch_options())
