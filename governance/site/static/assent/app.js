// Keys, focus and honest messages. Every page works without it.
// data-key="a": A moves the focus here ("?" follows the link). data-change: N and P stop here. data-save: Ctrl+S presses
// this. data-dismiss: takes its toast away. hx-trigger="peek" on a row's link: J or K has arrived there.
(() => {
  "use strict";
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const announce = (text) => { document.getElementById("announce").textContent = text; };
  const visible = (element) => element.getClientRects().length > 0;

  // ---- keys

  const typing = (target) =>
    target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target.tagName === "INPUT" && !/^(checkbox|radio|button|submit|reset|file)$/.test(target.type));

  function moveRow(step) {
    const rows = all(".row, tr:has(> th a)").filter(visible);
    if (!rows.length) return false;
    let at = rows.findIndex((row) => row.contains(document.activeElement));
    if (at < 0) at = rows.findIndex((row) => row.hasAttribute("aria-current"));
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    const link = row.querySelector(".row__title a, th a");
    rows.forEach((one) => one.removeAttribute("aria-current"));
    row.setAttribute("aria-current", "true");
    link.focus();
    if (window.htmx) htmx.trigger(link, "peek");
    return true;
  }

  let change = -1;
  function moveChange(step) {
    let places = all("[data-change]");
    // Without marked places, inserted and deleted text; a deletion with the insertion that replaces it is one change.
    if (!places.length) places = all("ins:not(del + ins), del, .cell-new, .cell-gone").filter((place) => !place.closest(".as-list, .peek"));
    if (!places.length) return false;
    change = ((change < 0 && step < 0 ? 0 : change) + step + places.length) % places.length;
    const place = places[change];
    for (let fold = place.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    place.scrollIntoView({ block: "center" });
    return focusOn(place);
  }

  function goTo(key) {
    const place = all("[data-key]").find((element) => element.dataset.key === key && visible(element));
    place?.[key === "?" ? "click" : "focus"]();
    return Boolean(place);
  }

  const moves = { j: () => moveRow(1), k: () => moveRow(-1), n: () => moveChange(1), p: () => moveChange(-1) };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && !event.altKey) {
      const save = document.querySelector("[data-save]");
      if (save) event.preventDefault();
      return save?.click();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (document.body.dataset.shortcuts !== "on" || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (key.length === 1 && (moves[key] || (() => goTo(key)))()) event.preventDefault();
  });

  // ---- focus

  const focusOn = (place) => {
    if (place) { place.tabIndex = -1; place.focus(); }
    return Boolean(place);
  };
  const focusSummary = (within) => focusOn(within.querySelector(".error-summary"));

  // ---- one press, one act: a second submit of the same form within two seconds is dropped, no button is disabled

  const sent = new WeakMap();
  document.addEventListener("submit", (event) => {
    if (event.target.method === "post" && Date.now() - sent.get(event.target) < 2000) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else sent.set(event.target, Date.now());
  }, true);

  // ---- offline and failed requests

  const offline = (is) => {
    const note = document.getElementById("offline");
    if (note) note.hidden = !is;
    if (!is) announce(document.getElementById("announce").dataset.online);
  };
  addEventListener("offline", () => offline(true));
  addEventListener("online", () => offline(false));

  function failed() {
    const place = document.getElementById("refusal");
    place?.replaceChildren(document.getElementById("failed").content.cloneNode(true));
    place?.focus();
  }
  document.addEventListener("htmx:sendError", () => navigator.onLine ? failed() : offline(true));
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:timeout", failed);

  document.addEventListener("htmx:beforeRequest", (event) => {
    document.getElementById("refusal")?.replaceChildren();
    event.detail.target?.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => event.detail.target?.removeAttribute("aria-busy"));
  let lost = false;
  document.addEventListener("htmx:beforeSwap", (event) => { lost = event.detail.target.contains(document.activeElement); });
  document.addEventListener("htmx:afterSwap", (event) => {
    const old = event.detail.target, place = old.isConnected ? old : document.getElementById(old.id);
    showDismiss();
    if (!place) return;
    if (place.id === "refusal") place.focus();
    // The focus moves only when what had it went away with the part that was swapped.
    else if (!focusSummary(place) && lost && document.activeElement === document.body) focusOn(place.querySelector("h1, h2, h3"));
  });

  // ---- toasts, and browsers without popovers

  const showDismiss = () => all("[data-dismiss]").forEach((button) => { button.hidden = false; });
  document.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.parentElement.remove();
  });

  document.addEventListener("DOMContentLoaded", () => {
    focusSummary(document);
    showDismiss();
    if (!navigator.onLine) offline(true);
    if ("popover" in HTMLElement.prototype) return;
    all("[popovertarget]").filter(visible).forEach((button) => {
      const panel = document.getElementById(button.getAttribute("popovertarget"));
      const toggle = () => button.setAttribute("aria-expanded", String(!(panel.hidden = !panel.hidden)));
      toggle();
      button.addEventListener("click", toggle);
    });
  });
})();
