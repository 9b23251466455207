"""Sheets, plots and pictures."""
