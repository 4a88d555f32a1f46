/** Pieces of a page: cloned from its `<template data-piece>`s, filled by textContent, found by `data-hook`. */

export const piece = (name) => document.querySelector(`template[data-piece="${name}"]`).content.firstElementChild.cloneNode(true);

export const hook = (root, name) => (root.dataset.hook === name ? root : root.querySelector(`[data-hook="${name}"]`));

/** All hooks of `root` by name. */
export function hooks(root) {
  const found = {};
  for (const node of root.querySelectorAll("[data-hook]")) found[node.dataset.hook] ??= node;
  return found;
}

/** Set the text and show the node, or hide it when there is nothing to say. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = !text;
}

/** Show a picture, or leave what is under it when there is none or it does not load. */
export function picture(img, address, alt = "") {
  img.alt = alt;
  if (!address) {
    img.hidden = true;
    return;
  }
  const source = new URL(address, `${location.origin}/`).href;
  if (img.src === source) return;
  img.addEventListener("error", () => { img.hidden = true; }, { once: true });
  img.hidden = false;
  img.src = source;
}

/** The facts as spans inside `node`. */
export function writeFacts(node, list) {
  node.replaceChildren(
    ...list.map((fact) => {
      const span = document.createElement("span");
      span.textContent = fact.text;
      if (fact.badge) span.className = "rating";
      return span;
    }),
  );
}

/**
 * Make the children of `parent` follow `items`, keeping the nodes of items that stay: scroll position, focus and loaded
 * pictures survive a refresh.
 */
export function reconcile(parent, items, { key, create, update }) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => {
    const node = old.get(key(item)) ?? create(item);
    node.dataset.key = key(item);
    update(node, item);
    return node;
  });
  const kept = new Set(wanted);
  for (const node of [...parent.children]) if (!kept.has(node)) node.remove();
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/** Show the page's problem piece inside `root`, with a way to try again. */
export function showProblem(root, { heading, text, retry }) {
  const node = piece("problem");
  hook(node, "heading").textContent = heading;
  hook(node, "text").textContent = text;
  const button = hook(node, "retry");
  button.hidden = !retry;
  if (retry) button.addEventListener("click", retry);
  root.replaceChildren(node);
  root.removeAttribute("aria-busy");
}
