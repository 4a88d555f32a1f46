/**
 * The stream of this page: its place among the devices on which the account may watch at the same time. A page keeps its
 * place when it is reloaded or opens another film, and gives it up when it is closed.
 */
import { api } from "../net.js";
import { storage } from "../account/session.js";

const KEY = "notflix.stream";

export class Stream {
  #kept;
  #send;

  /**
   * `kept` is a storage that belongs to this tab; `send(address, text)` sends a message that outlives the page.
   * @param {{ kept?: Pick<Storage, "getItem" | "setItem" | "removeItem">, send?: (address: string, text: string) => unknown }} parts
   */
  constructor({ kept = storage("sessionStorage"), send = (address, text) => navigator.sendBeacon(address, text) } = {}) {
    this.#kept = kept;
    this.#send = send;
  }

  /** The ticket that renews the stream; null before the first one. */
  get ticket() {
    return this.#kept.getItem(KEY);
  }

  /** @param {string} ticket */
  keep(ticket) {
    this.#kept.setItem(KEY, ticket);
  }

  /** Forget the stream, so that the next request opens another. */
  forget() {
    this.#kept.removeItem(KEY);
  }

  /** Give up the place, because the page is closed; a page that is opened again uses the ticket to take it again. */
  leave() {
    const { ticket } = this;
    if (ticket) this.#send(api("streams/left"), JSON.stringify({ stream_ticket: ticket }));
  }
}
