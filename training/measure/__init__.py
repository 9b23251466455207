"""What trained styles are measured by."""
