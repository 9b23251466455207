"""The Hub: find, pull and upload styles. The one package that talks to it; every failure is a HubError that says what to do.

A repository is a style folder. It is pulled at a commit, whose sha is recorded; what is cached at a sha needs no network.
Tokens come from where the Hub's client looks (`hf auth login`, HF_TOKEN); HF_ENDPOINT names another Hub.
"""

from zoo.hub.cache import cache_folder
from zoo.hub.client import SHARE_VARIABLE, accounts, addresses, endpoint, has_token, serve_strangers, split_id
from zoo.hub.datasets import pull_pictures
from zoo.hub.pull import SORTS, Found, find, find_kept, pull, thumbnail
from zoo.hub.upload import Target, check_target, deploy, is_there, space_hardware, upload_style, would

__all__ = [
    "SHARE_VARIABLE", "SORTS", "Found", "Target", "accounts", "addresses", "cache_folder", "check_target", "deploy",
    "endpoint", "find", "find_kept", "has_token", "is_there", "pull", "pull_pictures", "serve_strangers", "space_hardware",
    "split_id", "thumbnail", "upload_style", "would",
]  # fmt: skip
