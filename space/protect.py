"""The pad on which a visitor brushes over what shall stay the photo.

gradio's own editor uploads the photo once more and each drawing, past the limits on uploads, and fills a phone with tools. This
is one canvas over the picture that is shown anyway: the newest, so that the photo comes back under the finger. Its value is
what was brushed, as the data of a small PNG, or "".
"""

import gradio as gr

from space.languages import t

TEMPLATE = """
<div class="pad"><img alt="" draggable="false"><canvas role="img" aria-label="Picture to brush over"></canvas></div>
<div class="tools">
  <label>Brush <input type="range" min="2" max="24" value="9" aria-label="Width of the brush, % of the picture"></label>
  <button type="button">Clear</button>
</div>
"""
SCRIPT = """
const LONG = 384, SHORT = 32;  // px of the drawing: at most and at least, as zoo.images reduces a photo
const COLOUR = '#ff0080';  // without green, by which space/asked.py knows it
const find = selector => element.querySelector(selector), [picture, canvas] = ['img', 'canvas'].map(find);
const pen = canvas.getContext('2d');
let known = [], loading, last = null;

// What was brushed, from the value: a picture of the visit brings it back, a new photo or a link takes it away.
async function draw() {
  const value = props.value, drawn = new Image();
  if (value) {
    drawn.src = value;
    await drawn.decode();
  }
  if (value !== props.value) return;  // meanwhile there is another
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (value) pen.drawImage(drawn, 0, 0, canvas.width, canvas.height);
}

// The newest of photo and painting.
async function look() {
  const found = ['#photo img', '#comparison img'].map(all => [...document.querySelectorAll(all)].at(-1)?.src);
  const newest = found.filter((src, i) => src && src !== known[i]).at(-1);
  known = found;
  if (!newest) return;
  const image = loading = new Image();
  image.src = newest;
  try { await image.decode(); } catch { return; }  // a photo that this browser cannot show
  if (image !== loading) return;
  picture.src = newest;
  const share = Math.min(1, LONG / Math.max(image.naturalWidth, image.naturalHeight));
  const [width, height] = [image.naturalWidth, image.naturalHeight].map(side => Math.max(SHORT, Math.round(share * side)));
  picture.parentElement.style.setProperty('--shape', width / height);
  if (!last) canvas.classList.remove('wet');
  if (Math.abs(width - canvas.width) < 2 && Math.abs(height - canvas.height) < 2) return;
  Object.assign(canvas, {width, height});
  draw();
}

function stroke(event) {
  const field = canvas.getBoundingClientRect(), scale = canvas.width / field.width;
  const point = [(event.clientX - field.left) * scale, (event.clientY - field.top) * scale];
  Object.assign(pen, {strokeStyle: COLOUR, lineCap: 'round', lineJoin: 'round'});
  pen.lineWidth = find('input').value / 100 * Math.max(canvas.width, canvas.height);
  pen.beginPath();
  pen.moveTo(...last ?? point);
  pen.lineTo(...point);
  pen.stroke();
  last = point;
}

function say(drawn) {
  props.value = drawn;
  trigger('input');
}

canvas.addEventListener('pointerdown', event => {
  if (!event.isPrimary || event.button) return;
  canvas.setPointerCapture(event.pointerId);
  canvas.classList.add('wet');
  stroke(event);
});
canvas.addEventListener('pointermove', event => {
  if (last && event.isPrimary) (event.getCoalescedEvents?.() ?? [event]).forEach(stroke);
});
canvas.addEventListener('pointerup', event => {
  if (!last || !event.isPrimary) return;
  last = null;
  say(canvas.toDataURL());
});
canvas.addEventListener('pointercancel', () => {  // two fingers enlarge the page
  last = null;
  draw();
});
find('button').addEventListener('click', () => {
  if (!props.value) return;
  say('');
  draw();
});
watch('value', draw);
const studio = document.querySelector('#studio');
new MutationObserver(look).observe(studio, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
look();
"""


def add_pad() -> gr.HTML:
    """Lay it out, folded away: a finger that only scrolls should not draw."""
    with gr.Accordion(t("Keep a part of the photo"), open=False, elem_id="keep"):
        gr.Markdown(t("Brush over a face or a word: there the photo stays."))
        return gr.HTML("", html_template=TEMPLATE, js_on_load=SCRIPT, apply_default_css=False, elem_id="protect")
