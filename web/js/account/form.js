/**
 * Forms that send requests to the API. Errors are shown beside their fields, and no input is lost. Only one request is
 * sent at a time, and a countdown runs while the API requires waiting.
 */
import { hook, hooks, say } from "../dom.js";
import { RequestError } from "../net.js";
import { t } from "../texts.js";

/** @typedef {Record<string, any>} Values the input, by field */

/**
 * Return where an error is shown, and its text: beside the field that its code is about, or above the form.
 * @param {RequestError} error
 * @param {Record<string, string>} fields
 */
export function placeOf(error, fields = {}) {
  const name = fields[error.code] ?? "";
  const again = error.status === 0 ? ` ${t("form.check_network")}` : "";
  return { field: name, text: error.message + again };
}

/**
 * Return the whole seconds from `now` until `deadline` (both in milliseconds), at least 0.
 * @param {number} deadline
 * @param {number} now
 */
export const secondsLeft = (deadline, now) => Math.max(0, Math.ceil((deadline - now) / 1000));

/**
 * Return the button's label while the form must wait.
 * @param {number} seconds
 */
export const waitLabel = (seconds) => (seconds < 100 ? t("form.wait_s", { seconds }) : t("form.wait_min", { minutes: Math.ceil(seconds / 60) }));

/** A button with a label that can be blocked without losing focus. */
class Sender {
  /** @param {HTMLFormElement} form */
  constructor(form) {
    /** @type {HTMLButtonElement} */
    this.button = hook(form, "send");
    this.button.disabled = false;
    this.label = hook(this.button, "label");
    this.words = this.label.textContent;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  get blocked() {
    return this.button.getAttribute("aria-disabled") === "true";
  }

  /** @param {string} words */
  block(words, { busy = false } = {}) {
    this.button.setAttribute("aria-disabled", "true");
    this.button.classList.toggle("is-busy", busy);
    this.label.textContent = words;
  }

  release() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.button.removeAttribute("aria-disabled");
    this.button.classList.remove("is-busy");
    this.label.textContent = this.words;
  }

  /**
   * Block the button for `seconds` with a countdown, then call `over()`.
   * @param {number} seconds
   * @param {() => void} over
   */
  wait(seconds, over) {
    const deadline = performance.now() + seconds * 1000;
    const count = () => {
      const left = secondsLeft(deadline, performance.now());
      if (left) {
        this.block(waitLabel(left));
        return;
      }
      this.release();
      over();
    };
    this.timer = setInterval(count, 250);
    count();
  }

  /** End what is being sent, because the form begins with another subject; a wait that the API requires goes on. */
  renew() {
    if (!this.timer) this.release();
  }

  /** End a wait early; the button stays blocked while a request is in progress. */
  endWait() {
    if (this.timer) this.release();
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function fieldOf(form, name) {
  const box = /** @type {HTMLElement} */ (form.querySelector(`[data-field="${name}"]`));
  return { box, input: /** @type {HTMLInputElement} */ (form.elements.namedItem(name)), fault: hook(box, "fault") };
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} text
 */
function showFault(form, name, text) {
  const { box, input, fault } = fieldOf(form, name);
  say(fault, text);
  box.classList.toggle("is-wrong", Boolean(text));
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** @param {HTMLFormElement} form */
function bindShow(form) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-show]"))) {
    const { input } = fieldOf(form, button.dataset.show ?? "");
    const show = (/** @type {boolean} */ shown) => {
      input.type = shown ? "text" : "password";
      hook(button, "word").textContent = shown ? t("form.hide") : t("common.show");
    };
    button.addEventListener("click", () => show(input.type === "password"));
    form.addEventListener("submit", () => show(false)); // the browser would store a visible password like ordinary text
    form.addEventListener("reset", () => show(false));
  }
}

/**
 * Bind a form. `check(values)` returns errors by field, and `send(values)` calls the API. `fields` maps an error's code
 * to the field it is about. `busy` is the button's label during the request. If the promise of `send` never settles,
 * the form stays busy, because the browser is leaving the page.
 *
 * The form of a dialog that is closed and opened with another subject calls `begin(subject)` when it is opened. What is
 * still being sent for the earlier subject then changes nothing in the form: `isShown()`, which `send` receives, returns
 * false, and `late(error, subject)` is called with a failure that the form can no longer show.
 * @param {HTMLFormElement} form
 * @param {{
 *   check?: (values: Values) => Record<string, string>,
 *   send: (values: Values, isShown: () => boolean) => Promise<unknown>,
 *   late?: (error: RequestError, subject: any) => unknown,
 *   fields?: Record<string, string>,
 *   busy: string,
 * }} how
 */
export function bindForm(form, { check = () => ({}), send, late, fields = {}, busy }) {
  const at = hooks(form);
  const sender = new Sender(form);
  const boxes = /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-field]"));
  const names = [...boxes].map((box) => box.dataset.field ?? "");
  let turn = 0;
  /** @type {any} */
  let subject = null;
  bindShow(form);

  const tell = (/** @type {string} */ text, kind = "problem") => {
    at.message.dataset.kind = kind;
    say(at.message, text);
  };
  const clear = () => {
    tell("");
    for (const name of names) showFault(form, name, "");
  };
  const begin = (/** @type {any} */ next = null) => {
    turn += 1;
    subject = next;
    sender.renew();
    clear();
  };
  const point = (/** @type {string} */ name, { choose = false } = {}) => {
    const { input } = fieldOf(form, name);
    input.focus();
    if (choose) input.select();
  };
  const refuse = (/** @type {RequestError} */ error) => {
    const { field: name, text } = placeOf(error, fields);
    if (name) {
      showFault(form, name, text);
      point(name, { choose: true });
    } else tell(text);
    if (error.status === 429 && error.retryAfterS) sender.wait(error.retryAfterS, () => tell(t("form.can_try_again_now"), "note"));
  };

  form.addEventListener("input", ({ target }) => {
    const { name } = /** @type {HTMLInputElement} */ (target);
    if (names.includes(name)) showFault(form, name, "");
    if (name === "email") sender.endWait(); // a wait applies to one address only
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sender.blocked) return;
    const values = Object.fromEntries(new FormData(form));
    clear();
    const faults = Object.entries(check(values));
    for (const [name, text] of faults) showFault(form, name, text);
    if (faults.length) {
      point(faults[0][0]);
      return;
    }
    const sent = turn;
    const about = subject;
    const isShown = () => sent === turn && form.closest("dialog")?.open !== false;
    sender.block(busy, { busy: true });
    try {
      await send(values, isShown);
      if (sent === turn) sender.release();
    } catch (error) {
      if (sent === turn) sender.release();
      if (!(error instanceof RequestError)) throw error;
      if (isShown() || (!late && sent === turn)) refuse(error);
      else late?.(error, about);
    }
  });
  return { tell, clear, begin };
}

/**
 * Show one of the states of a page; focus moves to its heading, so that screen readers announce it.
 * @param {HTMLElement} root
 * @param {string} name
 */
export function showState(root, name) {
  const states = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-state]"));
  for (const state of states) state.hidden = state.dataset.state !== name;
  const heading = /** @type {HTMLElement | null} */ (root.querySelector(`[data-state="${name}"] [tabindex="-1"]`));
  heading?.focus();
}

// A page restored by "Back" may show a form that is still being sent, or content from before a logout.
globalThis.window?.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
