// Keeps times right, and what is going on up to date, without moving what somebody looks at.
"use strict";

(() => {
  const body = document.body;
  // The server's clock counts; this machine's may be wrong.
  const ahead = Number(body.dataset.now) - Date.now() / 1000;
  const now = () => Date.now() / 1000 + ahead;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

  function short(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const [unit, length] = units.find(([, size]) => whole >= size) || units[3];
    return `${Math.floor(whole / length)} ${unit}`;
  }

  function long(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const at = units.findIndex(([, size]) => whole >= size);
    if (at < 0 || at === 3) return `${whole} s`;
    const [unit, length] = units[at];
    const [less, size] = units[at + 1];
    const rest = Math.floor((whole % length) / size);
    return `${Math.floor(whole / length)} ${unit}` + (rest ? ` ${rest} ${less}` : "");
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function tick() {
    for (const element of document.querySelectorAll("time[data-ago]")) {
      const then = Date.parse(element.dateTime) / 1000;
      write(element, then > now() ? `in ${short(then - now())}` : `${short(now() - then)} ago`);
    }
    for (const element of document.querySelectorAll(".live[data-since]")) {
      write(element, long(Number(element.dataset.until || now()) - Number(element.dataset.since)));
    }
    for (const element of document.querySelectorAll("progress[data-since]")) {
      element.value = Math.min(element.max, now() - Number(element.dataset.since));
    }
  }

  // Makes `old` like `fresh`, element by element, so that focus, selection and scrolling stay.
  function morph(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !(old.nodeName === "DETAILS" && name === "open")) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const known = new Map();
    const wanted = new Set();
    for (const child of old.children) if (child.id) known.set(child.id, child);
    for (const child of fresh.children) if (child.id) wanted.add(child.id);
    let place = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const kept = next.id ? known.get(next.id) : undefined;
      if (kept) {
        // What is in the way goes: an element that is moved loses the focus.
        while (place && place !== kept && !(place.id && wanted.has(place.id))) {
          const gone = place;
          place = place.nextSibling;
          gone.remove();
        }
        if (place === kept) place = place.nextSibling;
        else old.insertBefore(kept, place);
        morphNode(kept, next);
      } else if (place && !(place.id && known.has(place.id)) && alike(place, next)) {
        const same = place;
        place = place.nextSibling;
        morphNode(same, next);
      } else {
        old.insertBefore(next, place);
      }
    }
    while (place) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
  }

  function alike(one, other) {
    return one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");
  }

  function morphNode(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType === Node.ELEMENT_NODE) morph(old, fresh);
    else if (old.data !== fresh.data) old.data = fresh.data;
  }

  const live = document.querySelector("[data-live]");
  let paused = false;
  let failures = 0;

  async function renew() {
    if (!live?.dataset.live || paused || document.hidden) return;
    try {
      const answer = await fetch(live.dataset.live, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      // A whole page has the part in it, a fragment is it.
      const whole = new DOMParser().parseFromString(text, "text/html");
      const fresh = whole.getElementById("live") || whole.body;
      if (fresh === whole.body) for (const { name, value } of live.attributes) fresh.setAttribute(name, value);
      morph(live, fresh);
      tick();
      failures = 0;
    } catch {
      failures += 1;
    }
    const trouble = document.getElementById("live-trouble");
    if (trouble) trouble.hidden = failures < 2;
  }

  async function keepGoing() {
    await renew();
    if (!live.dataset.live) return; // what it told about is over
    const every = Number(live.dataset.every) * 1000;
    setTimeout(keepGoing, every * Math.min(1 + failures, 10));
  }

  const pause = document.querySelector("[data-pause]");
  if (pause && live) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      if (!paused) renew();
    });
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      write(button, "Copied");
    });
  }
  if (live?.dataset.live) {
    setTimeout(keepGoing, Number(live.dataset.every) * 1000);
    document.addEventListener("visibilitychange", renew);
  }
  setInterval(tick, 1000);
})();
