"""Scripts that train on machines of others and bring the project with them."""
