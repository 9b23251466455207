"""The tab "Train": a painting in, the command for one's machine out; where it is allowed, a training on the page."""
