/** The next title: the following episode, otherwise a similar film, offered at the end with a countdown. */
import { forAnyone } from "../account/session.js";
import { orElse } from "../net.js";
import { watchAddress } from "../addresses.js";
import { pictureFor, playable, suitable } from "../cards.js";
import { hooks, picture } from "../dom.js";
import { t } from "../texts.js";

/** @import { Card } from "../types.js" */
/** @typedef {{ title: Card, why: string }} Offer */

export const COUNTDOWN_S = 10;
const LOOK_BEFORE_END_S = 30;
const EPISODE = t("player.next_episode");

/**
 * Return the title to offer, from the API's responses about the next episode and similar titles; null if none is
 * playable.
 * @param {{ next: any } | null} following
 * @param {{ titles: any[] } | null} similar
 * @returns {Offer | null}
 */
export function choose(following, similar) {
  if (following?.next && suitable([following.next]).length) return { title: following.next, why: EPISODE };
  const title = playable(similar?.titles ?? [])[0];
  return title ? { title, why: t("common.more_like") } : null;
}

/**
 * Return the text under the name while `left` seconds remain.
 * @param {number} left
 */
export const countdownText = (left) => (left > 0 ? t("player.plays_in", { count: left }) : t("common.starting"));

/** @param {string} id */
async function find(id) {
  const title = `titles/${encodeURIComponent(id)}`;
  const following = await orElse(forAnyone(`${title}/next`), null); // if the request fails, nothing is offered
  return choose(following, following?.next ? null : await orElse(forAnyone(`${title}/similar`), null));
}

export class Next {
  #id;
  #video;
  #at;
  #root;
  #leave;
  /** @type {Promise<Offer | null> | null} */
  #found = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /**
   * `root` is the card; `leave(address)` opens an address.
   * @param {HTMLElement} root
   * @param {{ id: string, video: HTMLVideoElement, leave: (address: string) => void }} parts
   */
  constructor(root, { id, video, leave }) {
    this.#root = root;
    this.#at = hooks(root);
    this.#id = id;
    this.#video = video;
    this.#leave = leave;
  }

  bind() {
    const video = this.#video;
    video.addEventListener("timeupdate", () => { if (video.duration - video.currentTime < LOOK_BEFORE_END_S) this.#look(); });
    video.addEventListener("ended", () => this.#offer());
    for (const name of ["play", "seeking"]) video.addEventListener(name, () => this.dismiss());
    this.#at["next-cancel"].addEventListener("click", () => this.dismiss());
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.dismiss();
      if (event.key !== "Tab") event.stopPropagation(); // the player's keys would act on the film that has ended
    });
  }

  /** Return the address of the next episode; null if there is none. */
  async episode() {
    const found = await this.#look();
    return found?.why === EPISODE ? watchAddress(found.title.id) : null;
  }

  get offered() {
    return !this.#root.hidden;
  }

  dismiss() {
    clearInterval(this.#timer);
    this.#root.hidden = true;
  }

  #look() {
    this.#found ??= find(this.#id);
    return this.#found;
  }

  async #offer() {
    const found = await this.#look();
    if (!found || !this.#video.ended || this.offered) return;
    const { title, why } = found;
    const at = this.#at;
    at["next-why"].textContent = why;
    at["next-name"].textContent = title.name;
    at["next-label"].textContent = t("watch.play_now");
    at["next-play"].href = watchAddress(title.id);
    picture(at["next-picture"], pictureFor(title.artwork, "card"));
    this.#root.hidden = false;
    at["next-play"].focus();
    this.#count(COUNTDOWN_S, watchAddress(title.id));
  }

  /**
   * @param {number} seconds
   * @param {string} address
   */
  #count(seconds, address) {
    const at = this.#at;
    let left = seconds;
    const show = () => {
      at["next-count"].textContent = countdownText(left);
      at["next-play"].style.setProperty("--share", `${((seconds - left) / seconds) * 100}%`);
    };
    show();
    this.#timer = setInterval(() => {
      if (document.visibilityState === "hidden") return; // the page is hidden: the countdown waits
      left -= 1;
      show();
      if (left > 0) return;
      clearInterval(this.#timer);
      this.#leave(address);
    }, 1000);
  }
}
