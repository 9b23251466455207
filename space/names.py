"""Names for what gradio gives none, or one that says less than what is seen, for who hears the page or speaks to it.

A tile would be called "Thumbnail 3 of 12" whatever hangs there, an example of a photo nothing at all.
"""

# Runs when the page is loaded, and sees to whatever is drawn later.
NAME = """() => {
  const name = (found, words) => document.querySelectorAll(found).forEach(one => {
    const said = words(one);
    if (said && one.getAttribute('aria-label') !== said) one.setAttribute('aria-label', said);
  });
  const file = button => decodeURI(button.querySelector('img')?.src ?? '').match(/([^\\/]+)\\.\\w+$/)?.[1];
  const label = block => block?.querySelector('[data-testid="block-label"]')?.textContent.trim();
  const mend = () => {
    document.querySelectorAll('.thumbnail-item:has(.caption-label)').forEach(tile => {  // where it is cut
      tile.title = tile.querySelector('.caption-label').textContent.trim();
    });
    name('.thumbnail-item, .upload-container', button => button.textContent.replace(/\\s+/g, ' ').trim());
    name('#examples button', button => file(button) && `Example: ${file(button)}`);
    name('.image-container > button', button => button.closest('#painting') ? 'The painting' : label(button.closest('.block')));
    document.querySelectorAll('.empty[aria-label]:not([role])').forEach(one => one.setAttribute('role', 'img'));
  };
  new MutationObserver(mend).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['aria-label'],
  });
  mend();
}"""
