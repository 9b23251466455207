"""gradio's page, which says in a sentence that it cannot use what was sent."""

import sys

import gradio as gr

from zoo.cli import say
from zoo.errors import brief

UNFIT = "what was sent fits none of these inputs (see the API of the page); upload a photo first (gradio_client: handle_file)"


class Page(gr.Blocks):
    """`gr.Blocks`, whose inputs of a wrong kind or number end in a message, and in one line of the log, not in a traceback."""

    async def preprocess_data(self, *args, **kwargs):
        """As gradio's; raises gr.Error alone."""
        try:
            return await super().preprocess_data(*args, **kwargs)
        except Exception as error:  # gradio and pydantic raise nearly anything on what strangers may send
            if isinstance(error, gr.Error) and not error.print_exception:
                raise  # said by us
            say(f"inputs refused: {type(error).__name__}: {brief(error)}", sys.stderr)
            raise gr.Error(UNFIT, title="This did not work", print_exception=False) from error
