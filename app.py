"""Start the page: python app.py (or: make demo). On a Space this file is run as it is."""

from space import build_demo, launch_options

demo = build_demo()

if __name__ == "__main__":
    demo.queue(max_size=32).launch(**launch_options())
