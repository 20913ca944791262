// An editor, of a proposal or of a policy: saves as one types, and keeps on this device whatever is not saved yet.
//
// Every save is the form's own POST, sent by fetch as a fragment; each element of the answer takes the place of the one
// with its id. Fields are never replaced under somebody's fingers: only Add and Remove, which make or end rows, bring a
// new body. Words are kept under (person, page, tab) from the first key to the confirmed save; what a tab
// that was closed has left is offered to the next one.
(() => {
  "use strict";
  const form = document.querySelector("form[data-autosave]");
  if (!form) return;
  // Here the bar says it, and says more.
  document.getElementById("offline")?.remove();
  const places = `assent:draft:${form.dataset.person}:${location.pathname}:`;
  const place = places + tab();
  const own = new Set(["csrfmiddlewaretoken", "version", "save", "add", "remove", "restore", "compare"]);
  const RETRY = 15000, WAIT = 1000;
  let typed = 0, saved = 0, running = null, stopped = false, conflict = false, timer = 0, kept = true, told = "", taken = place;

  function tab() {
    try {
      return sessionStorage.tab || (sessionStorage.tab = Math.random().toString(36).slice(2));
    } catch { return ""; }
  }
  const byId = (id) => document.getElementById(id);
  const version = () => byId("version").value;
  const fields = () => [...new FormData(form)].filter(([name, value]) => !own.has(name) && typeof value === "string");
  const dirty = () => typed !== saved;

  // ---- words kept on this device

  // This tab's own words, else the latest that another left.
  function read() {
    try {
      const all = Object.keys(localStorage).filter((key) => key.startsWith(places))
        .map((key) => [key, JSON.parse(localStorage.getItem(key))])
        .sort(([one, a], [other, b]) => (other === place) - (one === place) || (a.at < b.at ? 1 : -1));
      taken = all.length ? all[0][0] : place;
      return all.length ? all[0][1] : null;
    } catch { return null; }
  }
  function forget() {
    try {
      localStorage.removeItem(place);
      localStorage.removeItem(taken);
    } catch { /* nothing was kept */ }
    taken = place;
  }
  function keep() {
    try {
      localStorage.setItem(place, JSON.stringify({ version: version(), at: new Date().toISOString(), fields: fields() }));
      kept = true;
    } catch { kept = false; }
  }

  // ---- what the bar says

  function say(state) {
    const words = byId(`state-${state}`).content.cloneNode(true);
    words.querySelectorAll("a").forEach((link) => { link.href = form.dataset.signIn; });
    byId("save-state").replaceChildren(words);
    // Heard once when it goes wrong, not on every key.
    if (state !== told && !["saving", "typing"].includes(state)) byId("announce").textContent = byId("save-state").textContent;
    if (state !== "saving") told = state;
  }

  // ---- the answer

  function put(html, bodyToo) {
    const answer = document.createElement("template");
    answer.innerHTML = html;
    for (const part of answer.content.querySelectorAll("[id]")) {
      if (part.id === "field-errors") mark(part);
      if (part.parentElement?.closest("[id]") || (part.id === "body" && !bodyToo)) continue;
      const old = byId(part.id);
      if (!old || old.isEqualNode(part) || (part.id !== "body" && old.contains(document.activeElement))) continue;
      old.replaceWith(part);
    }
  }

  function mark(errors) {
    for (const bad of form.querySelectorAll(".field--bad")) {
      bad.classList.remove("field--bad");
      bad.querySelector(".field__error")?.remove();
      for (const control of bad.querySelectorAll("[aria-invalid]")) {
        control.removeAttribute("aria-invalid");
        describe(control, (id) => !id.endsWith("_error"));
      }
    }
    for (const error of errors.children) {
      const id = error.dataset.field;
      const control = byId(id) || byId(`${id}_0`);
      const field = control?.closest(".field");
      if (!field || !error.firstElementChild) continue;
      field.classList.add("field--bad");
      const before = [...field.children].find((child) => child === control || child.contains(control));
      before.before(error.firstElementChild);
      if (control.id !== id) continue;
      control.setAttribute("aria-invalid", "true");
      describe(control, () => true, `${id}_error`);
    }
    errors.remove();
  }

  function describe(control, stays, more = "") {
    const ids = (control.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && stays(id));
    if (more) ids.push(more);
    if (ids.length) control.setAttribute("aria-describedby", ids.join(" "));
    else control.removeAttribute("aria-describedby");
  }

  // ---- sending

  // A sign-in in another tab makes a new token; the cookie always has the right one.
  const token = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [])[1] || form.elements.csrfmiddlewaretoken.value;

  async function send(button, extra = [], data = new FormData(form)) {
    for (const [name, value] of extra) data.append(name, value);
    if (button) data.append(button.name, button.value);
    const answer = await fetch(location.pathname + location.search, {
      method: "POST", body: data, credentials: "same-origin", redirect: "manual",
      headers: { "HX-Request": "true", "X-CSRFToken": token() },
    });
    return { status: answer.status, retarget: answer.headers.get("HX-Retarget"), html: await answer.text() };
  }

  // Sends what stands in the form; true when it is saved. One at a time, so that the version is always the latest.
  async function save(button) {
    while (running) await running;
    clearTimeout(timer);
    const mark = typed;
    let done;
    running = new Promise((resolve) => { done = resolve; });
    const slow = setTimeout(() => say("saving"), 400);
    const list = button?.closest(".rows");
    if (list) list.inert = true;
    try {
      const answer = await send(button);
      clearTimeout(slow);
      return take(answer, mark, button);
    } catch {
      say(navigator.onLine ? "failed" : "offline");
      later(RETRY);
      return false;
    } finally {
      clearTimeout(slow);
      if (list) list.inert = false;
      running = null;
      done();
    }
  }

  function take(answer, mark, button) {
    if (answer.status === 401 || answer.status === 0) {
      say("signed-out");
      return false;
    }
    if (answer.retarget === "#refusal") {
      byId("refusal").innerHTML = answer.html;
      byId("refusal").focus();
      say("refused");
      stopped = true;
      return false;
    }
    if (![200, 409, 422].includes(answer.status)) {
      say("failed");
      later(RETRY);
      return false;
    }
    const bodyToo = Boolean(button?.closest(".rows"));
    put(answer.html, bodyToo);
    if (bodyToo) byId("body").querySelector("[autofocus]")?.focus();
    told = answer.status === 200 ? "saved" : told;
    if (answer.status !== 200) {
      byId("announce").textContent = byId("save-state").textContent;
      stopped = conflict = answer.status === 409;
      return false;
    }
    saved = mark;
    byId("restored").hidden = true;
    if (dirty()) keep(); else forget();
    return !dirty() || save();
  }

  function later(delay) {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => { if (dirty()) save(); }, delay);
  }

  function changed(delay) {
    typed += 1;
    keep();
    if (told !== "offline" && told !== "signed-out" && !stopped) { if (told !== "typing") say("typing"); }
    later(delay);
  }

  form.addEventListener("input", () => changed(WAIT));
  form.addEventListener("change", () => changed(WAIT / 4));
  addEventListener("online", () => { if (dirty() && !stopped) save(); });
  addEventListener("offline", () => { if (dirty()) say("offline"); });
  document.addEventListener("visibilitychange", () => { if (document.hidden && dirty() && !stopped) save(); });
  addEventListener("beforeunload", (event) => { if (dirty() && !kept) event.preventDefault(); });

  // ---- buttons and links

  // Before the script of every page, which takes two quick presses for one act: here each save is its own.
  addEventListener("submit", (event) => {
    const button = event.submitter;
    // Once somebody saved it elsewhere, every button leads to the page that shows both versions.
    if (event.target !== form || conflict) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (stopped) return;
    save(button?.name ? button : null).then((done) => {
      if (done && button?.dataset.next) location.assign(button.dataset.next);
      else if (done) byId("announce").textContent = byId("save-state").textContent;
      else form.querySelector('[aria-invalid="true"], .field--bad input')?.focus();
    });
  }, true);

  // Leaving by a link waits for the save, so that the next page's task list is true.
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const plain = !event.defaultPrevented && event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !plain || !dirty() || stopped || link.origin !== location.origin || link.target) return;
    if (link.pathname === location.pathname && link.hash) return;
    event.preventDefault();
    Promise.race([save(), new Promise((resolve) => setTimeout(resolve, 3000))]).then(() => location.assign(link.href));
  });

  // ---- words from an earlier visit

  // The form with these words in it, as the server draws it; null when it cannot be had.
  async function fetched(before) {
    for (const pause of [0, 500, 2000]) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      try {
        const answer = await send(null, [...before.fields, ["version", before.version], ["restore", "1"]], new FormData());
        if (answer.status === 200) return answer.html;
      } catch { /* tried again */ }
    }
    return null;
  }

  // Offered again at the next visit, under a place that this one does not write to.
  function putAside(before) {
    try {
      localStorage.setItem(`${places}aside:${before.at}`, JSON.stringify(before));
      localStorage.removeItem(taken);
    } catch { /* they stay where they are */ }
    taken = place;
  }

  async function restore() {
    const before = read();
    if (form.hasAttribute("data-settled")) {
      history.replaceState(null, "", location.pathname);
      return forget();
    }
    if (!before) return undefined;
    if (JSON.stringify(before.fields) === JSON.stringify(fields())) return forget();
    // Nobody types over words that are on their way back.
    form.inert = true;
    const body = await fetched(before);
    form.inert = false;
    if (body === null) return putAside(before);
    put(body, true);
    byId("version").value = before.version;
    const when = byId("restored").querySelector("time");
    when.dateTime = before.at;
    when.textContent = new Date(before.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
    say("restored");
    byId("restored").hidden = false;
    byId("restored").focus();
    typed += 1;
    return undefined;
  }
  byId("restored").querySelector("[data-keep]").addEventListener("click", () => save());
  byId("restored").querySelector("[data-discard]").addEventListener("click", () => {
    forget();
    saved = typed;
    location.replace(location.pathname);
  });

  if (!byId("save-state").querySelector(".t-bad")) told = "saved";
  restore();
})();
