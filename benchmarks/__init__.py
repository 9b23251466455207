"""Measurements of time and memory; the figures of docs/ that say what they were made with come from here."""
