"""What the reproduction of the paper is made of."""
