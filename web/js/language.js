/**
 * Runs before a page is drawn, as a script inside the page (web/build.py): if the viewer wants another language than
 * the page's, it stops loading the page and opens the same page in that language. The links to other languages, which
 * can be used before any other script is loaded, lead to the same page too, and keep the choice on this device.
 *
 * The language is the one that was chosen on this device. Without a choice, it is the browser's,
 * but only on pages in the first language, at the root of the site: links to a page in another language, such as those
 * of search engines, show that language.
 */
{
  const root = document.documentElement;
  const languages = (root.dataset.languages ?? "").split(" ");
  const [first] = languages;
  const KEY = "notflix.language";
  const chosen = () => {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch {
      return ""; // storage is refused
    }
  };
  const ofBrowser = () => navigator.languages.map((tag) => tag.toLowerCase().split("-")[0]).find((code) => languages.includes(code));
  const choice = chosen();
  const wanted = languages.includes(choice) ? choice : root.lang === first ? (ofBrowser() ?? first) : root.lang;
  const addressIn = (/** @type {string} */ code) => {
    const address = new URL(location.href);
    if (code === root.lang) return address.href;
    const prefix = code === first ? "" : `/${code}`;
    if (prefix && address.pathname.startsWith(`${prefix}/`)) { // the first language's page for unknown addresses
      address.search = new URLSearchParams({ path: address.pathname }).toString();
      address.pathname = `${prefix}/404.html`;
    } else {
      address.pathname = prefix + (root.lang === first ? address.pathname : address.pathname.slice(root.lang.length + 1));
    }
    return address.href;
  };
  if (wanted !== root.lang) {
    root.hidden = true;
    window.stop(); // no other script of this page runs
    location.replace(addressIn(wanted));
  }
  addEventListener("click", ({ target }) => {
    /** @type {HTMLAnchorElement | null} */
    const link = target instanceof Element ? target.closest("a[data-language]") : null;
    if (!link) return;
    const code = link.dataset.language ?? first;
    link.href = addressIn(code);
    try {
      localStorage.setItem(KEY, code);
    } catch { /* storage is refused: the language applies until the browser opens a page without it */ }
  });
}
