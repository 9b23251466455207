"""Engines: the same pictures as a generator paints, faster, at any size, in bounded memory."""
