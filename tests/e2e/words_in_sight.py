"""The words that a person sees without scrolling, as a script for the page."""

WORDS_IN_SIGHT = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange(), words = [];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.checkVisibility()) continue;
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (!box.width || box.right <= 0 || box.top >= innerHeight) continue;
    words.push(...walker.currentNode.textContent.split(/\\s+/).filter(Boolean));
  }
  return words;
}"""
