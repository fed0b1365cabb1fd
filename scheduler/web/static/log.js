// Shows a log of any length: only the lines in view are in the page, the others are asked for.
"use strict";

(() => {
  const log = document.getElementById("log");
  if (!log) return;
  const space = document.getElementById("space");
  const rows = document.getElementById("rows");
  const follow = document.getElementById("follow");
  const found = document.getElementById("found");
  const step = Number(log.dataset.step);
  const HEIGHT = 20;
  // Browsers lay out no taller pages than some ten million pixels: longer logs are shown in parts.
  const PART = 400000;
  const KEPT = 60;

  let total = Number(log.dataset.total);
  let size = Number(log.dataset.size);
  let ended = log.dataset.ended === "yes";
  let part = 0;
  let following = !ended && !location.hash;
  let reached = 0; // how many lines there were, and how far down that was, when the end was last shown
  let bottom = 0;
  let marked = 0;
  let matches = [];
  let match = -1;
  let wanted = "";
  const blocks = new Map();
  const asked = new Map();

  function parse(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html; // made and escaped by the server
    return [...holder.content.querySelectorAll(".line")];
  }

  function keep(first, lines) {
    blocks.delete(first);
    blocks.set(first, lines);
    for (const key of blocks.keys()) {
      if (blocks.size <= KEPT) break;
      blocks.delete(key);
    }
  }

  async function ask(first) {
    if (asked.has(first)) return asked.get(first);
    const asking = (async () => {
      let lines = [];
      // Long lines come in several answers.
      for (;;) {
        const answer = await fetch(`${log.dataset.lines}?from=${first + lines.length}&count=${step - lines.length}`);
        if (!answer.ok) throw new Error(String(answer.status));
        const data = await answer.json();
        lines = lines.concat(parse(data.html));
        learn(data);
        if (!data.count || lines.length >= step || first + lines.length > total) break;
      }
      keep(first, lines);
    })().finally(() => asked.delete(first));
    asked.set(first, asking);
    return asking;
  }

  function learn(data) {
    total = data.total;
    size = data.size;
    ended = data.ended;
    lay();
    const amount = size < 1024 ? `${size} B` : size < 1048576 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / 1048576).toFixed(1)} MiB`;
    document.getElementById("standing").textContent = `${total.toLocaleString("en").replaceAll(",", "\u202f")} ${total === 1 ? "line" : "lines"}, ${amount}${ended ? "" : ", growing"}`;
    document.getElementById("ending").textContent = ended ? "The log has ended." : "The build is still writing.";
  }

  const lastPart = () => Math.floor(Math.max(0, total - 1) / PART);
  const base = () => part * PART;
  const inPart = () => Math.min(PART, Math.max(0, total - base()));

  function lay() {
    const height = `${inPart() * HEIGHT + 8}px`;
    if (space.style.height !== height) space.style.height = height;
  }

  function draw() {
    const above = Math.max(0, Math.floor(log.scrollTop / HEIGHT) - 40);
    const below = Math.min(inPart(), Math.ceil((log.scrollTop + log.clientHeight) / HEIGHT) + 40);
    const elements = [];
    for (let line = above; line < below; line += 1) {
      const number = base() + line + 1;
      const first = Math.floor((number - 1) / step) * step + 1;
      const block = blocks.get(first);
      const element = block && block[number - first];
      if (element) {
        element.classList.toggle("at", number === marked);
        elements.push(element);
      } else {
        if (!block || number <= total) need(first);
        const empty = document.createElement("div");
        empty.className = "line";
        elements.push(empty);
      }
    }
    rows.style.transform = `translateY(${above * HEIGHT}px)`;
    const same = rows.children.length === elements.length && elements.every((it, at) => rows.children[at] === it);
    if (!same) rows.replaceChildren(...elements);
    highlight();
  }

  function need(first) {
    if (asked.has(first)) return;
    const later = () => setTimeout(renewView, 2000);
    const complete = () => blocks.get(first)?.length >= Math.min(step, total - first + 1);
    ask(first).then(() => (complete() ? renewView() : later()), later);
  }

  function highlight() {
    if (!window.Highlight || !CSS.highlights) return;
    CSS.highlights.delete("found");
    if (!wanted) return;
    const ranges = [];
    const text = wanted.toLowerCase();
    for (const row of rows.children) {
      const words = row.lastElementChild;
      if (!words) continue;
      const walker = document.createTreeWalker(words, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const node = walker.currentNode;
        const lower = node.data.toLowerCase();
        for (let at = lower.indexOf(text); at >= 0; at = lower.indexOf(text, at + text.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, Math.min(node.length, at + text.length));
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }

  function goTo(line) {
    const number = Math.min(Math.max(1, line), Math.max(1, total));
    part = Math.floor((number - 1) / PART);
    lay();
    marked = number;
    log.scrollTop = Math.max(0, (number - 1 - base()) * HEIGHT - log.clientHeight / 3);
    draw();
  }

  function toEnd() {
    part = lastPart();
    lay();
    log.scrollTop = log.scrollHeight;
    reached = total;
    bottom = log.scrollTop;
    draw();
  }

  // Any answer may bring the news that the log has grown.
  function renewView() {
    if (following && reached !== total) toEnd();
    else draw();
  }

  function setFollowing(value) {
    following = value;
    follow.setAttribute("aria-pressed", String(value));
    if (value) toEnd();
  }

  async function renew() {
    const before = size;
    try {
      const first = Math.floor(Math.max(0, total - 1) / step) * step + 1;
      // What was incomplete is asked for again.
      const answer = await fetch(`${log.dataset.lines}?from=1&count=0`);
      if (answer.ok) {
        const data = await answer.json();
        if (data.size !== before || data.ended !== ended) {
          if (data.total < total + 4 * step) {
            learn(data);
            for (let at = first; at <= total; at += step) if (blocks.has(at) || following) await ask(at);
          } else {
            blocks.delete(first);
            learn(data);
          }
          renewView();
        }
      }
    } catch {
      // The next time may be better.
    }
    // An attempt that was handed back goes on in the same log.
    setTimeout(renew, document.hidden ? 5000 : ended ? 15000 : size !== before ? 500 : 1000);
  }

  // How the job stands, for as long as that may change.
  async function renewHeading() {
    const heading = document.getElementById("heading");
    if (!heading.hasAttribute("data-open")) return;
    try {
      const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("heading");
      if (fresh && !heading.isEqualNode(fresh) && !heading.contains(document.activeElement)) heading.replaceWith(fresh);
    } catch {
      // The next time may be better.
    }
    setTimeout(renewHeading, 8000);
  }

  function fromHash() {
    const line = /^#L(\d+)$/.exec(location.hash);
    if (!line) return false;
    setFollowing(false);
    goTo(Number(line[1]));
    return true;
  }

  async function search(text) {
    wanted = text;
    matches = [];
    match = -1;
    found.textContent = text ? "searching …" : "";
    highlight();
    let from = 1;
    while (text && text === wanted && from && matches.length < 5000) {
      const answer = await fetch(`${log.dataset.search}?q=${encodeURIComponent(text)}&from=${from}`);
      if (answer.status === 503) {
        await new Promise((goOn) => setTimeout(goOn, 2000));
        continue;
      }
      if (!answer.ok) break;
      const data = await answer.json();
      if (text !== wanted) return;
      matches = matches.concat(data.matches.map((it) => it.line));
      from = data.next;
      if (match < 0 && matches.length) show(0);
      else tellFound(Boolean(from));
    }
    tellFound(false);
  }

  function tellFound(more) {
    const buttons = [document.getElementById("previous"), document.getElementById("next")];
    for (const button of buttons) button.hidden = !matches.length;
    if (!wanted) found.textContent = "";
    else if (!matches.length) found.textContent = more ? "searching …" : "not found";
    else found.textContent = `${match + 1} of ${matches.length}${more ? " …" : ""}`;
  }

  function show(at) {
    match = (at + matches.length) % matches.length;
    setFollowing(false);
    goTo(matches[match]);
    tellFound(false);
  }

  document.getElementById("tools").hidden = false;
  const first = Number(log.dataset.first);
  keep(first, [...rows.querySelectorAll(".line")]);
  lay();
  follow.addEventListener("click", () => setFollowing(!following));
  document.getElementById("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = document.getElementById("q").value.trim();
    if (text === wanted && matches.length) show(match + 1);
    else search(text);
  });
  document.getElementById("previous").addEventListener("click", () => show(match - 1));
  document.getElementById("next").addEventListener("click", () => show(match + 1));
  document.getElementById("jump").addEventListener("submit", (event) => {
    event.preventDefault();
    const line = Number(document.getElementById("line").value);
    if (line) history.replaceState(null, "", `#L${Math.min(line, total)}`);
    fromHash();
  });
  rows.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#L']");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    marked = Number(link.textContent);
    setFollowing(false);
    draw();
  });
  log.addEventListener("scroll", () => {
    // Whoever goes up wants to read, be it by wheel, key, finger or bar.
    const left = log.scrollHeight - log.scrollTop - log.clientHeight;
    if (following && log.scrollTop < bottom && left > HEIGHT) setFollowing(false);
    requestAnimationFrame(draw);
  }, { passive: true });
  log.addEventListener("keydown", (event) => {
    if (event.key === "Home") part = 0;
    if (event.key === "End") part = lastPart();
    if (event.key === "Home" || event.key === "End") lay();
  });
  window.addEventListener("hashchange", fromHash);
  window.addEventListener("resize", () => (following ? toEnd() : draw()));
  if (!fromHash()) {
    follow.setAttribute("aria-pressed", String(following));
    toEnd();
  }
  setTimeout(renew, 500);
  setTimeout(renewHeading, 4000);
})();
