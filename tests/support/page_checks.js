/**
 * What axe cannot see on a page (WCAG 2.2): sentences about faults. `tests/support/accessibility.py` evaluates this
 * function with one of its parts after it has prepared the page.
 */
(part) => {
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.closest("[inert]");
  const nameOf = (element) => `${element.localName} ${JSON.stringify((element.getAttribute("aria-label") || element.textContent || element.id || element.className).trim().replace(/\s+/g, " ").slice(0, 60))}`;
  const scope = [...document.querySelectorAll("dialog:modal")].at(-1) ?? document.body;
  const elements = () => [...scope.querySelectorAll("*")].filter(isShown);

  /** Elements that hide a part of their own text, and neither shorten it on purpose nor let one scroll to it. */
  const clipped = () =>
    elements().filter((element) => {
      const style = getComputedStyle(element);
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
      const isHiding = ["hidden", "clip"].includes(style.overflowY) && style.webkitLineClamp === "none" && style.textOverflow !== "ellipsis";
      return hasText && isHiding && element.clientHeight > 1 && element.scrollHeight > element.clientHeight + 2;
    });

  /** What may change about an element when it gets the focus; a field is marked by the box around it. */
  const looksOf = (element) =>
    [element, ...element.querySelectorAll("*")]
      .map((each) => getComputedStyle(each))
      .map(({ outline, boxShadow, backgroundColor, borderColor, textDecoration }) => [outline, boxShadow, backgroundColor, borderColor, textDecoration].join())
      .join();

  const parts = {
    /** 1.4.10 */
    reflow: () => {
      const wide = document.documentElement.scrollWidth - innerWidth;
      return wide > 0 ? [`${wide} px wider than a window of ${innerWidth} px`] : [];
    },
    /** 1.4.12: the spacing that viewers may set must not cost text. */
    spacing: () => {
      const before = new Set(clipped());
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }");
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
      const wide = document.documentElement.scrollWidth - innerWidth;
      const found = clipped().filter((element) => !before.has(element)).map((element) => `with more space between letters and lines, a text is cut off: ${nameOf(element)}`);
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
      return wide > 0 ? [...found, `with more space between letters, the page is ${wide} px too wide`] : found;
    },
    /** 2.4.3, 2.4.7, 2.4.11: the focus follows the order of the page, is visible, and is not hidden by other content. */
    focus: () => {
      const kept = document.activeElement;
      const found = [];
      const reachable = elements().filter((element) => element.tabIndex >= 0 && !element.matches(":disabled, [type=radio]:not(:checked)"));
      for (const element of reachable) {
        if (element.tabIndex > 0) found.push(`the order of the focus differs from that of the page: ${nameOf(element)}`);
        if (document.activeElement === element) element.blur();
        const plain = looksOf(element);
        element.focus();
        if (document.activeElement !== element) continue; // it moves the focus on, as the opener of a dialog does
        if (looksOf(element) === plain && !element.matches("input, textarea, select")) found.push(`the focus cannot be seen: ${nameOf(element)}`);
        const { left, top, width, height } = element.getBoundingClientRect();
        const places = [0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].map((y) => [left + x * width, top + y * height]));
        const inWindow = places.filter(([x, y]) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight);
        const isUncovered = ([x, y]) => {
          const hit = document.elementFromPoint(x, y);
          return hit && (element.contains(hit) || hit.contains(element) || element.labels?.length);
        };
        if (!inWindow.some(isUncovered)) found.push(`other content covers what has the focus: ${nameOf(element)}`);
      }
      if (kept instanceof HTMLElement) kept.focus();
      return found;
    },
    /** 2.3.3, 2.2.2: nothing moves for those who do not want it. */
    motion: () => {
      const moving = document.getAnimations().filter((animation) => animation.playState === "running" && animation.effect?.getTiming().duration > 1);
      return moving.map((animation) => `it moves although less motion is wanted: ${nameOf(animation.effect.target)}`);
    },
  };
  return parts[part]();
}
