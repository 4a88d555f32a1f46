/** Trailers: everybody may play one, and at its end it offers what comes next, the film or a subscription. */
import { withNext } from "../account/next.js";
import { forAnyone, session } from "../account/session.js";
import { titleAddress, watchAddress } from "../addresses.js";
import { fetchAccess } from "../billing/access.js";
import { pictureFor } from "../cards.js";
import { hooks, picture } from "../dom.js";
import { RequestError } from "../net.js";
import { t } from "../texts.js";

/** @import { PlaybackSession, Title } from "../types.js" */
/** @import { Access } from "../billing/access.js" */

/**
 * Return a playback session of a title's trailer. If the login session has ended, the trailer plays as for a guest.
 * @param {string} id
 * @param {AbortSignal} [signal]
 * @returns {Promise<PlaybackSession>}
 */
export async function openTrailer(id, signal) {
  const open = () => forAnyone(`titles/${encodeURIComponent(id)}/trailer`, { method: "POST", ...(signal ? { signal } : {}) });
  const opened = await open().catch((error) => {
    if (error instanceof RequestError && error.status === 401 && !session()) return open();
    throw error;
  });
  return { ...opened, name: t("player.trailer_of", { name: opened.name }) };
}

/**
 * Return what to offer at the end of a trailer: the film, a subscription, or the title's page if there is no film yet.
 * `access` is null if it is not known whether the viewer may watch.
 * @param {Pick<Title, "id" | "playback">} title
 * @param {{ isGuest: boolean, access: Access | null }} viewer
 */
export function offerAfter({ id, playback }, { isGuest, access }) {
  if (!playback) return { label: t("player.to_title_page"), address: titleAddress(id) };
  if (access?.suspended) return { label: t("title.settle_payment_watch"), address: withNext("/account.html", "/") };
  const isShut = isGuest || access?.entitled === false;
  return isShut ? { label: t("title.subscribe_watch"), address: withNext("/plans.html", watchAddress(id)) } : { label: t("player.watch_film"), address: watchAddress(id) };
}

/** The card at the end of a trailer, in place of the one for the next title (`next.js`). */
export class AfterTrailer {
  #root;
  #at;
  #video;
  #title;

  /**
   * `title()` returns what is published about the title.
   * @param {HTMLElement} root
   * @param {{ video: HTMLVideoElement, title: () => Promise<Title | null> }} parts
   */
  constructor(root, { video, title }) {
    this.#root = root;
    root.classList.add("after-trailer");
    this.#at = hooks(root);
    this.#video = video;
    this.#title = title;
  }

  bind() {
    const video = this.#video;
    video.addEventListener("ended", () => this.#offer());
    for (const name of ["play", "seeking"]) video.addEventListener(name, () => this.dismiss());
    this.#at["next-cancel"].addEventListener("click", () => this.dismiss());
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.dismiss();
      if (event.key !== "Tab") event.stopPropagation(); // the player's keys would act on the trailer
    });
  }

  /** Return the address of the next episode: a trailer has none. */
  async episode() {
    return null;
  }

  get offered() {
    return !this.#root.hidden;
  }

  dismiss() {
    this.#root.hidden = true;
  }

  async #offer() {
    const title = await this.#title();
    if (!title) return; // its page is not published
    const { label, address } = offerAfter(title, { isGuest: !session(), access: await fetchAccess() });
    if (!this.#video.ended || this.offered) return;
    const at = this.#at;
    at["next-why"].textContent = title.playback ? t("player.film_of_trailer") : t("common.coming_soon");
    at["next-name"].textContent = title.name;
    at["next-label"].textContent = label;
    at["next-play"].href = address;
    picture(at["next-picture"], pictureFor(title.artwork, "card"));
    this.#root.hidden = false;
    at["next-play"].focus();
  }
}
