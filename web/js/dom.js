/** Pieces of a page: cloned from `<template data-piece>`, found by `data-hook`, and filled by textContent. */

import { avifSources } from "./addresses.js";

/** @import { Hooks } from "./types.js" */

/**
 * Return the page's element with the attribute `data-<name>`; null on pages without it and outside browsers.
 * @param {string} name
 * @returns {HTMLElement | null}
 */
export const rootOf = (name) => globalThis.document?.querySelector(`[data-${name}]`) ?? null;

/**
 * Return a copy of a template's element.
 * @param {string} name
 * @returns {any}
 */
export function piece(name) {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector(`template[data-piece="${name}"]`));
  return /** @type {Element} */ (template.content.firstElementChild).cloneNode(true);
}

/**
 * Return the hook `name` of `root`, which may be `root` itself.
 * @param {HTMLElement} root
 * @param {string} name
 * @returns {any}
 */
export const hook = (root, name) => (root.dataset.hook === name ? root : root.querySelector(`[data-hook="${name}"]`));

/**
 * Return all hooks inside `root` by name.
 * @param {ParentNode} root
 * @returns {Hooks}
 */
export function hooks(root) {
  /** @type {Hooks} */
  const found = {};
  for (const node of root.querySelectorAll("[data-hook]")) found[/** @type {string} */ (/** @type {HTMLElement} */ (node).dataset.hook)] ??= node;
  return found;
}

/**
 * Set the text of a node. If the node has this text already, it is not touched, so that what is selected stays selected.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Set the text and show the node, or hide the node if the text is empty.
 * @param {HTMLElement} node
 * @param {string} text
 */
export function say(node, text) {
  setText(node, text);
  node.hidden = !text;
}

/**
 * Show `nodes` as the children of `parent`. A child that looks the same as the new one in its place is kept, so the
 * focus and a selection inside it survive; also in a page that was published with these children.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} nodes
 */
export function showNodes(parent, nodes) {
  nodes.forEach((node, index) => {
    node.normalize(); // the text of a published page is in one piece
    const shown = parent.children[index];
    if (!shown) parent.append(node);
    else if (!shown.isEqualNode(node)) shown.replaceWith(node);
  });
  while (parent.children.length > nodes.length) parent.lastElementChild?.remove();
}

/**
 * Show a picture; hide the element if there is no picture or it does not load, so that the element below is visible.
 * Inside a `<picture>`, the browser chooses the AVIF in the width that fits.
 * @param {HTMLImageElement} img
 * @param {string | null | undefined} address
 */
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
  img.parentElement?.querySelector(":scope > source")?.setAttribute("srcset", avifSources(address));
  img.src = source;
}

/**
 * Write each fact as a span into `node`.
 * @param {HTMLElement} node
 * @param {{ text: string, badge?: boolean }[]} list
 */
export function writeFacts(node, list) {
  showNodes(node, list.map((fact) => {
    const span = document.createElement("span");
    span.textContent = fact.text;
    if (fact.badge) span.className = "rating";
    return span;
  }));
}

/**
 * Update the children of `parent` to match `items`. The nodes of remaining items are kept, so scroll position, focus
 * and loaded pictures survive a refresh.
 * @template T
 * @param {HTMLElement} parent
 * @param {T[]} items
 * @param {{ key: (item: T) => string, create: (item: T) => HTMLElement, update: (node: any, item: T) => void }} how
 */
export function reconcile(parent, items, { key, create, update }) {
  const children = () => /** @type {HTMLElement[]} */ ([...parent.children]);
  const old = new Map(children().map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => {
    const node = old.get(key(item)) ?? create(item);
    node.dataset.key = key(item);
    update(node, item);
    return node;
  });
  const kept = new Set(wanted);
  for (const node of children()) if (!kept.has(node)) node.remove();
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
}

/**
 * Show the page's problem piece inside `root`, with a button that calls `retry`, if it is set.
 * @param {HTMLElement} root
 * @param {{ heading: string, text: string, retry?: (() => void) | null }} problem
 */
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

/**
 * Call `work` at each press of a button, but not while an earlier call runs.
 * @param {HTMLElement} button
 * @param {() => unknown} work
 */
export function bindOnce(button, work) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      await work();
    } finally {
      button.removeAttribute("aria-disabled");
    }
  });
}
