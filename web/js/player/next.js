/** What comes next: the episode that follows, else a film like this one, offered at the end with a countdown. */
import { api, ask, RequestError } from "../net.js";
import { canPlay, pictureFor, watchAddress } from "../cards.js";
import { hooks, picture } from "../dom.js";

export const COUNTDOWN_S = 10;

/** The card to offer out of what the API answers to both questions, and why; null when there is nothing to play. */
export function choose(following, similar) {
  if (following?.next) return { title: following.next, why: "Next episode" };
  const title = (similar?.titles ?? []).find((one) => canPlay(one.status));
  return title ? { title, why: "More like this" } : null;
}

/** The words under the name while `left` seconds remain. */
export const countdownText = (left) => (left > 0 ? `Plays in ${left} second${left === 1 ? "" : "s"}` : "Starting…");

const orNothing = (asking) => asking.catch((error) => {
  if (error instanceof RequestError) return null; // an end without an offer is an end all the same
  throw error;
});

async function find(id) {
  const title = `titles/${encodeURIComponent(id)}`;
  const following = await orNothing(ask(api(`${title}/next`)));
  return choose(following, following?.next ? null : await orNothing(ask(api(`${title}/similar`))));
}

export class Next {
  #id;
  #video;
  #at;
  #root;
  #found = null;
  #timer = 0;
  #leave;

  /** `root` is the card; `leave(address)` goes there. */
  constructor(root, { id, video, leave }) {
    this.#root = root;
    this.#at = hooks(root);
    this.#id = id;
    this.#video = video;
    this.#leave = leave;
  }

  bind() {
    const video = this.#video;
    video.addEventListener("timeupdate", () => { if (video.duration - video.currentTime < 30) this.#look(); });
    video.addEventListener("ended", () => this.#offer());
    for (const name of ["play", "seeking"]) video.addEventListener(name, () => this.dismiss());
    this.#at["next-cancel"].addEventListener("click", () => this.dismiss());
    this.#root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.dismiss();
      if (event.key !== "Tab") event.stopPropagation(); // the player's keys mean the film that has ended
    });
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
    at["next-play"].href = watchAddress(title.id);
    picture(at["next-picture"], pictureFor(title.artwork, "card"));
    this.#root.hidden = false;
    at["next-play"].focus();
    this.#count(COUNTDOWN_S, watchAddress(title.id));
  }

  #count(seconds, address) {
    const at = this.#at;
    let left = seconds;
    const show = () => {
      at["next-count"].textContent = countdownText(left);
      at["next-play"].style.setProperty("--share", `${((seconds - left) / seconds) * 100}%`);
    };
    show();
    this.#timer = setInterval(() => {
      if (document.visibilityState === "hidden") return; // nobody looks: it waits
      left -= 1;
      show();
      if (left > 0) return;
      clearInterval(this.#timer);
      this.#leave(address);
    }, 1000);
  }
}
