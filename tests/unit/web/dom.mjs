/** As much of a page as the modules need that bind a part of it: elements in memory, and an API that a test answers. */
import { keep } from "../../../web/js/account/session.js";

class Element extends EventTarget {
  dataset = {};
  style = { setProperty: () => {} };
  children = [];
  hidden = false;
  open = false;
  textContent = "";
  value = "";
  #attributes = new Map();
  #classes = new Set();
  classList = { toggle: (name, on) => (on ? this.#classes.add(name) : this.#classes.delete(name)), add: (name) => this.#classes.add(name), remove: (name) => this.#classes.delete(name), contains: (name) => this.#classes.has(name) };
  elements = { namedItem: (name) => this.elements[name] };

  setAttribute(name, value) { this.#attributes.set(name, String(value)); }
  getAttribute(name) { return this.#attributes.get(name) ?? null; }
  removeAttribute(name) { this.#attributes.delete(name); }
  append(...nodes) {
    for (const node of nodes) Object.assign(node, { parentElement: this });
    this.children.push(...nodes);
  }
  replaceChildren(...nodes) {
    this.children = [];
    this.append(...nodes);
  }
  insertBefore(node, next) {
    Object.assign(node, { parentElement: this });
    this.children.splice(next ? this.children.indexOf(next) : this.children.length, 0, node);
  }
  remove() { this.parentElement.children = this.parentElement.children.filter((node) => node !== this); }
  get parentElement() { return this.parent ?? null; }
  set parentElement(node) { this.parent = node; }
  get descendants() { return this.children.flatMap((node) => [node, ...(node.descendants ?? [])]); }
  /** Find elements by one attribute, `[data-hook]` or `[data-hook="name"]`; every other selector finds nothing. */
  querySelectorAll(selector) {
    const [, name = "", value] = /^\[data-(\w+)(?:="(.+)")?\]$/.exec(selector) ?? [];
    return this.descendants.filter(({ dataset }) => name in (dataset ?? {}) && (value === undefined || dataset[name] === value));
  }
  querySelector(selector) { return this.querySelectorAll(selector)[0] ?? null; }
  closest() {
    let found = /** @type {any} */ (this);
    while (found && !found.isDialog) found = found.parentElement;
    return found;
  }
  click() { return this.dispatchEvent(new Event("click", { cancelable: true })); }
  focus() { Object.assign(globalThis.document, { activeElement: this }); }
  select() {}
  reset() {}
  showModal() { this.open = true; }
  close() {
    this.open = false;
    this.dispatchEvent(new Event("close"));
  }
}

/**
 * Return an element, with an element inside it for each hook.
 * @param {string} [names] the hooks, separated by spaces
 * @param {object} [dataset]
 * @returns {any}
 */
export function element(names = "", dataset = {}) {
  const made = new Element();
  Object.assign(made.dataset, dataset);
  for (const name of names.split(" ").filter(Boolean)) made.append(element("", { hook: name }));
  return made;
}

/**
 * Return a form with fields, a button and a message, inside a dialog.
 * @param {string} hook
 * @param {Record<string, string>} values
 */
export function formIn(dialog, hook, values = {}) {
  const form = element("message", { hook });
  const button = element("label", { hook: "send" });
  form.append(button);
  for (const [field, value] of Object.entries(values)) {
    const box = element("fault", { field });
    form.append(box);
    form.elements[field] = Object.assign(element(), { value });
  }
  dialog.isDialog = true;
  dialog.append(form);
  return form;
}

/** FormData, as far as a form in memory has it. */
class Values {
  constructor(form) { this.form = form; }
  * [Symbol.iterator]() {
    for (const [name, field] of Object.entries(this.form.elements)) if (name !== "namedItem") yield [name, field.value];
  }
}

/**
 * Install a page with pieces for somebody who is logged in. `answer(path, init)` is the API's response to a request:
 * a value, an error such as `{ status: 409, error, detail }`, or a promise of one.
 * @param {(path: string, init: any) => any} answer
 * @param {Record<string, () => any>} [pieces]
 */
export function installPage(answer, pieces = {}) {
  const scope = /** @type {any} */ (globalThis);
  const page = element();
  Object.assign(page, {
    documentElement: { dataset: { api: "https://api.example" } },
    visibilityState: "visible",
    activeElement: null,
    querySelector: (selector) => {
      const made = pieces[/data-piece="(.+)"/.exec(selector)?.[1] ?? ""];
      return made ? { content: { firstElementChild: { cloneNode: made } } } : null;
    },
    createElement: () => element(),
  });
  scope.document = page;
  scope.location = { origin: "https://site.example", pathname: "/", search: "", hash: "", assign: () => {}, replace: () => {} };
  scope.FormData = Values;
  scope.window ??= new EventTarget();
  scope.fetch = async (address, init = {}) => {
    const found = await answer(String(address).replace(/^https:\/\/api\.example\/api\//, ""), init);
    const status = found?.error ? found.status : found === undefined ? 204 : 200;
    return new Response(status === 204 ? null : JSON.stringify(found), { status });
  };
  keep(/** @type {any} */ ({ token: "t", expires_at: "2030-01-01T00:00:00Z", user_id: "u", email: "ada@example.org" }));
  return page;
}

/**
 * Return a promise, and the function that settles it.
 * @returns {{ promise: Promise<any>, settle: (value?: any) => void }}
 */
export function held() {
  let settle = (/** @type {any} */ _value) => {};
  const promise = new Promise((resolve) => { settle = resolve; });
  return { promise, settle };
}

/** Let everything run that waits for nothing outside. */
export async function settled() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => { setTimeout(resolve); });
}

/**
 * Wait for something that another thread decides, such as a digest; fail after ten seconds.
 * @param {() => boolean} isTrue
 */
export async function until(isTrue) {
  for (const end = Date.now() + 10_000; !isTrue(); await settled()) {
    if (Date.now() > end) throw new Error(`this did not become true: ${isTrue}`);
  }
}
