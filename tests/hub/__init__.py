"""A local server that speaks the Hub's protocol as its client uses it, for tests over real HTTP."""
