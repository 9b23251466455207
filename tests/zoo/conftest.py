"""A style on the local Hub, for the tests that pull it."""

import pytest

from tests.hub.repos import files_of

NAME = "alice/small-pair"


@pytest.fixture
def published(hub, painted_pair):
    """The small pair on the Hub, put there without the client."""
    return hub.add(NAME, files_of(painted_pair))
