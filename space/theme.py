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
    ).set(  # colours far enough apart to be read (WCAG AA), which gradio's are not
        body_text_color_subdued="*neutral_500",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
    )
