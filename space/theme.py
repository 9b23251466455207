"""Look of the page: gradio's default theme on warm paper, system fonts only (nothing is fetched)."""

import gradio as gr

FONT = ["ui-sans-serif", "system-ui", "Helvetica Neue", "Arial", "sans-serif"]


def make_theme() -> gr.Theme:
    """The theme that `launch` takes."""
    return gr.themes.Default(
        primary_hue=gr.themes.colors.orange,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        font=FONT,
        font_mono=["ui-monospace", "Menlo", "monospace"],
    ).set(body_text_color_subdued="*neutral_500")  # dark enough to be read on white (WCAG AA), which gradio's is not
