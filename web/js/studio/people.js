/** People: free access, subscriptions, and the events that PayPal has sent. */
import { hook, hooks, piece, say } from "../dom.js";
import { persist, RequestError } from "../net.js";
import { bindForm } from "../account/form.js";
import { addressFault, faultsOf } from "../account/rules.js";
import { authorized, session } from "../account/session.js";
import { day, moment } from "../account/words.js";
import { isAhead } from "../billing/words.js";
import { daysFault, eventText, SUBSCRIPTION_STATES } from "./words.js";

/** @import { Grant, OwnersSubscription, PayPalEvent } from "../types.js" */
/** @typedef {{ head: string, facts: string[], state: string, kind?: string }} Entry */

/** @param {string} id */
const shortId = (id) => (id.length > 14 ? `${id.slice(0, 12)}…` : id);

/** @param {string | null} id */
const accountText = (id) => (id ? `account ${shortId(id)}` : "deleted account");

/**
 * Return the text for a time in the middle of a sentence: "today, 14:05" instead of "Today, 14:05".
 * @param {string} iso
 * @param {Date} now
 */
const when = (iso, now) => moment(iso, now).replace(/^[TY]/, (letter) => letter.toLowerCase());

/** @param {string | null} id */
const byWhom = (id) => (id === "operator" ? "by the operator" : id && id === session()?.user_id ? "by you" : `by ${accountText(id)}`);

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export const askAgain = (path) => persist(() => authorized(path));

/** A list of entries with a heading, a line of facts and a state, loaded page by page. */
class List {
  /**
   * @param {HTMLElement} root
   * @param {{ path: string, name: string, write: (one: any, now: Date) => Entry }} how `name`: the list's name in the response
   */
  constructor(root, { path, name, write }) {
    this.at = hooks(root);
    this.path = path;
    this.name = name;
    /** @type {string | null} */
    this.cursor = null;
    this.entryOf = write;
    /** @type {Record<string, any>[]} */
    this.shown = [];
    this.at.more?.addEventListener("click", () => this.load({ more: true }));
    this.at.retry?.addEventListener("click", () => this.load());
  }

  async load({ more = false } = {}) {
    const { at } = this;
    const from = more && this.cursor ? `?cursor=${encodeURIComponent(this.cursor)}` : "";
    say(at.trouble, "");
    at.again.hidden = true;
    try {
      const page = await askAgain(this.path + from);
      const found = page[this.name];
      this.cursor = page.cursor;
      this.shown = more ? [...this.shown, ...found] : found;
      at.entries.replaceChildren(...this.shown.map((one) => this.node(one)));
      at.none.hidden = this.shown.length > 0;
      if (at.more) at.more.hidden = !page.cursor;
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      say(at.trouble, error.message);
      at.again.hidden = false;
    } finally {
      at.entries.removeAttribute("aria-busy");
    }
  }

  /** @param {Record<string, any>} one */
  node(one) {
    const node = piece("entry");
    const on = hooks(node);
    const { head, facts, state, kind = "" } = this.entryOf(one, new Date());
    on.head.textContent = head;
    on.facts.textContent = facts.filter(Boolean).join(" · ");
    say(on.state, state);
    node.dataset.kind = kind;
    return node;
  }
}

/**
 * @param {Grant} grant
 * @param {Date} now
 * @returns {Entry}
 */
export function grantEntry({ user_id: user, until, granted_at: at, granted_by: by }, now) {
  const isOn = isAhead(until, now);
  const head = accountText(user);
  return {
    head: head[0].toUpperCase() + head.slice(1),
    facts: [`given ${when(at, now)}`, byWhom(by)],
    state: isOn ? `Until ${day(until, now)}` : "Ended",
    kind: isOn ? "good" : "",
  };
}

/**
 * @param {OwnersSubscription} subscription
 * @param {Date} now
 * @param {Map<string, string>} names the names of the plans by their ids
 * @returns {Entry}
 */
export function subscriptionEntry(subscription, now, names = new Map()) {
  const { user_id: user, plan_id: plan, state, state_since: since, next_charge_at: next, paid_through: through } = subscription;
  return {
    head: names.get(plan) ?? plan,
    facts: [
      accountText(user),
      `since ${when(since, now)}`,
      state === "active" && next ? `next charge ${day(next, now)}` : "",
      state !== "active" && through ? `paid until ${day(through, now)}` : "",
    ],
    state: SUBSCRIPTION_STATES[state] ?? state,
    kind: { active: "good", suspended: "bad" }[state] ?? "",
  };
}

/**
 * @param {PayPalEvent} event
 * @param {Date} now
 * @returns {Entry}
 */
const eventEntry = ({ type, subject, received_at: at, deliveries, settled }, now) => ({
  head: eventText(type),
  facts: [moment(at, now), subject, deliveries > 1 ? `delivered ${deliveries} times` : ""],
  state: settled ? "Processed" : "Waiting",
  kind: settled ? "good" : "bad",
});

/** @param {HTMLElement} root */
export function bindPeople(root) {
  /** @type {Map<string, string>} */
  const names = new Map();
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-list="${name}"]`));
  const grants = new List(part("grants"), { path: "grants", name: "grants", write: grantEntry });
  const subscriptions = new List(part("subscriptions"), {
    path: "subscriptions",
    name: "subscriptions",
    write: (one, now) => subscriptionEntry(one, now, names),
  });
  const events = new List(part("events"), { path: "paypal/events", name: "events", write: eventEntry });
  const form = hook(root, "grant-form");
  const { tell } = bindForm(form, {
    busy: "Giving access…",
    fields: { not_found: "email" },
    check: ({ email, days }) => faultsOf({ email: addressFault(email), days: daysFault(days) }),
    send: async ({ email, days }) => {
      const address = email.trim();
      const { until } = await authorized("grants", { method: "POST", body: { email: address, days: Number(days) } });
      form.reset();
      tell(`${address} can watch for free until ${day(until, new Date())}.`, "note");
      await grants.load();
    },
  });
  const loadNames = async () => {
    try {
      for (const { id, name } of (await askAgain("plans/all")).plans) names.set(id, name);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error; // the plans' ids are shown instead
    }
  };
  return { look: () => Promise.all([grants.load(), loadNames().then(() => subscriptions.load()), events.load()]) };
}
