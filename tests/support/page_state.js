/**
 * What a person sees on a page, for random tests: the controls that can be used, and signs that something is wrong.
 * `tests/support/page_state.py` evaluates this function. It keeps the controls' elements in `window.randomTest`.
 */
() => {
  const USABLE = "a[href], button, input, select, textarea, summary, label, video";
  const NOT_TEXT = new Set(["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"]);
  const SMALLEST_PX = 4;
  const modal = [...document.querySelectorAll("dialog:modal")].at(-1);
  const scope = modal ?? document.body;

  const isShown = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) || element.closest("[inert]")) return false;
    const { width, height, right, bottom } = element.getBoundingClientRect();
    const isOnPage = right + scrollX > 0 && bottom + scrollY > 0; // a skip link is above the page until it has the focus
    return width >= SMALLEST_PX && height >= SMALLEST_PX && isOnPage;
  };
  const topAt = (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return document.elementFromPoint(x + width / 2, y + height / 2);
  };
  const isOnTop = (element) => topAt(element) === element; // a message of the player covers the film
  const menus = [...document.querySelectorAll("[aria-expanded=true][aria-controls]")].map((opener) => document.getElementById(opener.getAttribute("aria-controls")));
  const skipLink = document.querySelector(".skip-link"); // covers the site's name while it has the focus
  const isCovered = (element) => [...menus, skipLink].some((cover) => cover && !cover.contains(element) && cover.contains(topAt(element)));
  const isOff = (element) => element.matches(":disabled, [aria-disabled=true]");

  const kindOf = (element) => {
    const { localName: tag, type } = element;
    if (tag === "input") return NOT_TEXT.has(type) ? type : "text";
    if (tag === "textarea") return "text";
    if (tag === "label") return element.control && !isShown(element.control) && !isOff(element.control) ? "label" : null;
    if (tag === "video") return isOnTop(element) ? "video" : null;
    return { a: "link", select: "select" }[tag] ?? "button";
  };
  const words = (text) => (text ?? "").replace(/\s+/g, " ").trim();
  const nameOf = (element) =>
    words(element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent || element.title || element.placeholder).slice(0, 60);

  const elements = [];
  const controls = [];
  for (const element of scope.querySelectorAll(USABLE)) {
    const kind = isShown(element) && !isOff(element) && !isCovered(element) && kindOf(element);
    if (!kind) continue;
    elements.push(element);
    controls.push({ kind, name: nameOf(element), type: element.type ?? "", href: element.href ?? "", options: [...(element.options ?? [])].map(({ value }) => value) });
  }
  window.randomTest = elements;

  const waits = [...document.querySelectorAll("[aria-busy=true], .is-busy, [data-state=unknown]")].filter(isShown).map((element) => `${element.localName}.${element.className}`);
  for (const animation of document.getAnimations()) {
    const element = animation.effect?.target;
    const isEndless = element && !animation.effect.pseudoElement && animation.effect.getTiming().iterations === Infinity;
    if (isEndless && animation.playState === "running" && isShown(element)) waits.push(`${element.localName}.${element.className}`);
  }
  const shown = document.body.innerText;
  const video = document.querySelector("video");
  const stored = ["sessionStorage", "localStorage"].map((name) => JSON.parse(window[name].getItem("notflix.session") ?? "null")).find(Boolean);
  return {
    address: location.href,
    title: document.title,
    controls,
    isModal: Boolean(modal),
    waits,
    overflowPx: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    leaks: shown.match(/.{0,30}(undefined|\bNaN\b|\[object |\bnull\b|Infinity).{0,30}/g) ?? [],
    broken: [...document.images].filter((image) => isShown(image) && image.complete && image.currentSrc && !image.naturalWidth).map((image) => image.currentSrc),
    playedS: video && video.readyState > 1 ? video.currentTime : 0,
    person: stored ? { userId: stored.user_id, token: stored.token, admin: Boolean(stored.admin) } : null,
  };
}
