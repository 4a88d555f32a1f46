/**
 * Forms that ask the API: faults beside their fields, one request at a time, a countdown where the API says to wait, and
 * nothing lost of what was typed.
 */
import { hook, hooks, say } from "../dom.js";
import { RequestError } from "../net.js";

/** Where a refusal is told: beside the field that its code speaks of, or above the form. */
export function placeOf(error, fields = {}) {
  const field = fields[error.code] ?? "";
  const again = error.status === 0 ? " Check the network and try again; what you typed is still here." : "";
  return { field, text: error.message + again };
}

/** Whole seconds until `deadline`, both in milliseconds; never below 0. */
export const secondsLeft = (deadline, now) => Math.max(0, Math.ceil((deadline - now) / 1000));

/** The button's words while nothing may be sent. */
export const waitLabel = (seconds) => (seconds < 100 ? `Wait ${seconds} s` : `Wait ${Math.ceil(seconds / 60)} min`);

/** A button with a label that can be put out of use without losing the focus. */
class Sender {
  constructor(form) {
    this.button = hook(form, "send");
    this.label = hook(this.button, "label");
    this.words = this.label.textContent;
    this.timer = 0;
  }

  get blocked() {
    return this.button.getAttribute("aria-disabled") === "true";
  }

  block(words, { busy = false } = {}) {
    this.button.setAttribute("aria-disabled", "true");
    this.button.classList.toggle("is-busy", busy);
    this.label.textContent = words;
  }

  release() {
    clearInterval(this.timer);
    this.timer = 0;
    this.button.removeAttribute("aria-disabled");
    this.button.classList.remove("is-busy");
    this.label.textContent = this.words;
  }

  /** Stay out of use for `seconds`, counting down; then call `over()`. */
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

  /** End a wait early; a request that is under way stays alone. */
  endWait() {
    if (this.timer) this.release();
  }
}

function field(form, name) {
  const box = form.querySelector(`[data-field="${name}"]`);
  return { box, input: form.elements[name], fault: hook(box, "fault") };
}

function showFault(form, name, text) {
  const { box, input, fault } = field(form, name);
  say(fault, text);
  box.classList.toggle("is-wrong", Boolean(text));
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function bindShow(form) {
  for (const button of form.querySelectorAll("[data-show]")) {
    const input = form.elements[button.dataset.show];
    const show = (shown) => {
      input.type = shown ? "text" : "password";
      hook(button, "word").textContent = shown ? "Hide" : "Show";
    };
    button.addEventListener("click", () => show(input.type === "password"));
    form.addEventListener("submit", () => show(false)); // what is shown would be remembered as if it were no password
    form.addEventListener("reset", () => show(false));
  }
}

/**
 * Bind a form: `check(values)` gives faults by field, `send(values)` asks, `fields` says which field an error's code speaks
 * of, `busy` is the button's word meanwhile. A `send` that never ends keeps the form as it is: the page is being left.
 */
export function bindForm(form, { check = () => ({}), send, fields = {}, busy }) {
  const at = hooks(form);
  const sender = new Sender(form);
  const names = [...form.querySelectorAll("[data-field]")].map((box) => box.dataset.field);
  bindShow(form);

  const tell = (text, kind = "problem") => {
    at.message.dataset.kind = kind;
    say(at.message, text);
  };
  const clear = () => {
    tell("");
    for (const name of names) showFault(form, name, "");
  };
  const point = (name, { choose = false } = {}) => {
    const { input } = field(form, name);
    input.focus();
    if (choose) input.select();
  };
  const refuse = (error) => {
    const { field: name, text } = placeOf(error, fields);
    if (name) {
      showFault(form, name, text);
      point(name, { choose: true });
    } else tell(text);
    if (error.status === 429 && error.retryAfterS) sender.wait(error.retryAfterS, () => tell("You can try again now.", "note"));
  };

  form.addEventListener("input", ({ target }) => {
    if (names.includes(target.name)) showFault(form, target.name, "");
    if (target.name === "email") sender.endWait(); // waits are for one address; another may have none
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
    sender.block(busy, { busy: true });
    try {
      await send(values);
      sender.release();
    } catch (error) {
      sender.release();
      if (!(error instanceof RequestError)) throw error;
      refuse(error);
    }
  });
  return { tell, clear, values: () => Object.fromEntries(new FormData(form)) };
}

/** Show one of the states of a page, and say it to those who do not see: the focus goes to its heading. */
export function showState(root, name) {
  for (const state of root.querySelectorAll("[data-state]")) state.hidden = state.dataset.state !== name;
  const heading = root.querySelector(`[data-state="${name}"] [tabindex="-1"]`);
  heading?.focus();
}

// A page that comes back from the browser's memory may show a form in mid-send, or what a person has logged out of.
globalThis.window?.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) location.reload();
});
