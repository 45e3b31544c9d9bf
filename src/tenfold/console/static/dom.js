// The page is drawn once and then only changed where something differs, so nothing jumps and a reader's place is kept.
// Text goes in as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function say(element, text) {
  const said = String(text);
  if (element.textContent !== said) element.textContent = said;
}

export function tell(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

export function state(element, word) {
  tell(element, "state", word);
  say(element, word);
}

// Keep one child of `parent` for each item, in order; `create` makes a child, `update` brings it up to date.
export function keep(parent, items, create, update) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach((item, index) => {
    const child = parent.children[index] ?? parent.appendChild(create(item));
    update(child, item);
  });
}

// The parts of a child by their data-part name.
export const part = (element, name) => element.querySelector(`[data-part="${name}"]`);
