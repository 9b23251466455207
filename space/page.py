"""gradio's page, which says in a sentence that it cannot use what was sent."""

import sys

import gradio as gr

from zoo.cli import say
from zoo.errors import brief

UNFIT = "what was sent fits none of these inputs (see the API of the page); upload a photo first (gradio_client: handle_file)"


class Page(gr.Blocks):
    """`gr.Blocks`, whose inputs of a wrong kind or number end in a message, and in one line of the log, not in a traceback."""

    async def process_api(self, block_fn, *args, **kwargs):
        """As gradio's, for what was picked as well: of that its place alone, which is None where it is no number. Of whatever
        else was sent gradio would look up the paths."""
        if getattr(block_fn, "fn", True) is None:  # of the browser alone: gradio would fail at it, with a traceback
            raise gr.Error(UNFIT, title="This did not work", print_exception=False)
        if (picked := kwargs.get("event_data")) is not None:
            place = picked._data.get("index") if isinstance(picked._data, dict) else None
            place = place if isinstance(place, int) else None
            kwargs["event_data"] = gr.EventData(picked.target, {"index": place, "value": None})
        return await super().process_api(block_fn, *args, **kwargs)

    async def preprocess_data(self, block_fn, *args, **kwargs):
        """As gradio's, which would fetch whatever address is sent in the place of a file; raises gr.Error alone."""
        try:
            if _names_an_address([args, kwargs]):
                raise ValueError("an address in the place of a file")
            values = await super().preprocess_data(block_fn, *args, **kwargs)
            given = zip(block_fn.inputs, values, strict=True)
            if any(value is None for block, value in given if isinstance(block, gr.Dataset)):
                raise ValueError("no example was picked")
            return values
        except Exception as error:  # gradio and pydantic raise nearly anything on what strangers may send
            if isinstance(error, gr.Error) and not error.print_exception:
                raise  # said by us
            say(f"inputs refused: {type(error).__name__}: {brief(error)}", sys.stderr)
            raise gr.Error(UNFIT, title="This did not work", print_exception=False) from error


def _names_an_address(sent: object) -> bool:
    """Whether a file anywhere in it lies on the web: past every bound on uploads, and on the page's own network."""
    if isinstance(sent, dict):
        path = sent.get("path")
        return isinstance(path, str) and "://" in path or any(map(_names_an_address, sent.values()))
    return isinstance(sent, (list, tuple)) and any(map(_names_an_address, sent))
