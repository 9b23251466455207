"""Start the page: python app.py (or: make demo). On a Space this file is run as it is."""

import signal
import sys

try:
    from space import build_demo, launch_options
    from zoo import ZooError
    from zoo.cli import fail

    try:
        demo = build_demo()
    except ZooError as error:
        sys.exit(fail(error))
except KeyboardInterrupt:  # while the libraries are imported, which takes seconds
    sys.exit(130)

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # or visitors' photos would be left on the disk
    demo.launch(**launch_options())
