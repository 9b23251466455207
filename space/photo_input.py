"""An image input that lets the library read the upload: zoo/images.py knows more formats, and says what is wrong."""

import os
from contextlib import suppress
from pathlib import Path

import gradio as gr
from gradio.data_classes import FileData, ImageData
from gradio.utils import get_upload_folder


class PhotoInput(gr.Image):
    """`gr.Image` whose functions get the path of the uploaded file, untouched.

    A class, though only one method differs: gradio makes a visitor's component anew from its class when its value changes.
    """

    is_template = True  # drawn by the front end as its parent

    def preprocess(self, payload) -> str | None:
        """As of `uploaded`."""
        return uploaded(payload)


def uploaded(payload: FileData | ImageData | None) -> str | None:
    """The path of an upload, or None. Raises gr.Error for any other path: the API must not read the server's disk."""
    if payload is None:
        return None
    path = Path(payload.path or "").resolve()
    if Path(get_upload_folder()).resolve() not in path.parents:
        need = "upload the file first (gradio_client: handle_file), then send what comes back"
        raise gr.Error(need, print_exception=False)
    with suppress(OSError):
        os.utime(path)  # in use: the oldest are removed first
    return str(path)
