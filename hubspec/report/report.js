"use strict";
(() => {
  const page = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const form = byId("filters");
  const boxes = ["outcome", "severity", "change"];
  const selects = ["kind", "cluster", "control", "requirement"];
  const keys = ["outcome", "severity", "kind", "cluster", "control", "change", "requirement"];
  const asks = [...document.querySelectorAll("#controls > article")]
    .map((control) => (control.dataset.r || "").split(" ").filter(Boolean).map(Number));
  const rows = [...byId("list").children].map((row) => {
    const at = row.dataset.f.split(" ").map(Number);
    const body = row.querySelector(":scope > noscript");
    return { row, at: at.slice(0, 6), asks: asks[at[6]], body: body && body.textContent, text: null };
  });
  const itemOf = new Map(rows.map((item) => [item.row, item]));

  /* Bodies that the page has no room for as text are packed; they follow within moments. */
  const unpack = async (source) => {
    const bytes = Uint8Array.from(atob(source.textContent.trim()), (one) => one.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const bodies = JSON.parse(await new Response(stream).text());
    rows.filter((item) => item.body === null).forEach((item, i) => { item.body = bodies[i]; item.text = null; });
  };
  const ready = byId("packed") ? unpack(byId("packed")) : null;

  const make = (tag, text, attributes = {}) => {
    const element = Object.assign(document.createElement(tag), { textContent: text });
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  /* Copying */
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = make("textarea", text, { class: "unseen" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("refused");
  };
  const addCopy = (source) => {
    const button = make("button", "Copy", { type: "button", class: "copy" });
    button.addEventListener("click", async () => {
      const said = await copy(source.textContent).then(() => "Copied", () => "Copy failed");
      button.textContent = said;
      byId("said").textContent = said;
      setTimeout(() => { button.textContent = "Copy"; byId("said").textContent = ""; }, 2000);
    });
    source.after(button);
  };

  /* A closed row is text; opened, it becomes elements and gets what it shares with others. */
  const shared = (html) => [...html.matchAll(/<a href=#([ce]\d+)>/g)].map((match) => byId(match[1]));
  const fill = (row) => {
    const { body } = itemOf.get(row);
    if (row.querySelector(":scope > div")) return;
    if (body === null) { ready.then(() => fill(row)); return; }
    const [control, trip] = shared(body)
      .map((from) => [...from.cloneNode(true).children].filter((part) => part.tagName !== "H3"));
    row.insertAdjacentHTML("beforeend", body);
    const facts = row.querySelector(":scope > div > p");
    const [declared, test] = facts.querySelectorAll("code");
    const link = make("a", "#" + row.id, { href: "#" + row.id });
    const list = make("dl", "", { class: "facts" });
    const told = { Why: control, "Declared at": [declared], Evidence: trip, Test: [test], Link: [link] };
    for (const [term, parts] of Object.entries(told)) {
      const place = make("dd", "");
      place.append(...parts);
      list.append(make("dt", term), place);
    }
    facts.replaceWith(list);
    [...row.querySelectorAll("pre:not(.raw)"), test].forEach((source) => source.matches(".raw") || addCopy(source));
  };
  byId("list").addEventListener("click", (event) => event.target.closest("summary") && fill(event.target.closest("details")));

  /* Filters */
  const state = () => {
    const chosen = new FormData(form);
    return Object.fromEntries([...keys, "q"].map((key) => [key, chosen.getAll(key).filter((value) => value.trim())]));
  };
  const order = Object.fromEntries(keys.map((key) => [key, boxes.includes(key)
    ? [...form.querySelectorAll(`[name=${key}]`)].map((box) => box.value)
    : [...form.elements[key].options].slice(1).map((option) => option.value)]));
  const signs = { "&lt;": "<", "&gt;": ">", "&#34;": '"', "&#39;": "'", "&amp;": "&" };
  const haystack = (item) => {
    if (item.text !== null) return item.text;
    const html = item.body ?? "";
    const own = html.replace(/<[^>]*>/g, " ").replace(/&[^;]+;/g, (sign) => signs[sign] ?? sign);
    item.text = [item.row.firstElementChild.textContent, own, ...shared(html).map((from) => from.textContent)]
      .join(" ").toLowerCase();
    return item.text;
  };
  const apply = () => {
    const now = state();
    const words = (now.q[0] ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = keys.map((key) =>
      now[key].length ? new Set(now[key].map((value) => order[key].indexOf(value))) : null);
    let shown = 0;
    for (const item of rows) {
      const fits = wanted.every((set, i) => !set || (i === 6 ? item.asks.some((one) => set.has(one)) : set.has(item.at[i])))
        && words.every((word) => haystack(item).includes(word));
      if (item.row.hidden === fits) item.row.hidden = !fits;
      shown += fits;
    }
    const all = rows.length.toLocaleString("en");
    byId("count").textContent = shown === rows.length ? `${all} checks` : `${shown.toLocaleString("en")} of ${all} checks`;
    byId("active").textContent = [...keys, "q"].filter((key) => now[key].length)
      .map((key) => `${key === "q" ? "search" : key}: ${now[key].join(", ")}`).join("; ");
    byId("nothing").hidden = shown > 0;
  };
  const save = () => {
    const now = new URLSearchParams();
    for (const [key, values] of Object.entries(state())) for (const value of values) now.append(key, value);
    const hash = now.toString();
    history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  };
  const load = (hash) => {
    const saved = new URLSearchParams(hash);
    form.reset();
    for (const key of boxes) {
      for (const box of form.querySelectorAll(`[name=${key}]`)) box.checked = saved.getAll(key).includes(box.value);
    }
    for (const key of selects) form.elements[key].value = order[key].includes(saved.get(key)) ? saved.get(key) : "";
    form.elements.q.value = saved.get("q") ?? "";
    apply();
  };
  const change = () => { apply(); save(); };
  form.addEventListener("input", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => { load(""); save(); form.elements.q.focus(); });

  /* The address: '#key=value&…' is a filter, '#r…' is one check. */
  const follow = () => {
    const hash = location.hash.slice(1);
    if (hash.includes("=")) {
      load(hash);
      byId("checks").scrollIntoView();
      return;
    }
    const row = hash && byId(hash);
    if (!row || row.parentElement !== byId("list")) return;
    if (row.hidden) load("");
    row.open = true;
    fill(row);
    row.scrollIntoView();
    row.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);

  /* Paper shows what needs attention in full, and the rest as one line each. */
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = rows.map((item) => item.row)
      .filter((row) => !row.hidden && !row.open && !row.matches(".compliant, .not-applicable"));
    opened.forEach((row) => { row.open = true; fill(row); });
    const folded = [...document.querySelectorAll("main > section > details:not([open])")];
    folded.forEach((part) => { part.open = true; });
    opened.push(...folded);
  });
  addEventListener("afterprint", () => opened.forEach((row) => { row.open = false; }));

  /* Theme */
  const theme = byId("theme");
  const remember = (value) => { try { return value ? localStorage.setItem("hubspec-theme", value) : localStorage.getItem("hubspec-theme"); } catch { return null; } };
  const paint = (dark) => {
    page.dataset.theme = dark ? "dark" : "light";
    theme.setAttribute("aria-pressed", String(dark));
  };
  const prefers = matchMedia("(prefers-color-scheme: dark)");
  const kept = remember();
  paint(kept ? kept === "dark" : prefers.matches);
  prefers.addEventListener("change", () => remember() || paint(prefers.matches));
  theme.addEventListener("click", () => {
    const dark = page.dataset.theme !== "dark";
    paint(dark);
    remember(dark ? "dark" : "light");
  });

  if (ready) ready.then(apply);
  document.body.append(make("p", "", { id: "said", class: "unseen", "aria-live": "polite" }));
  document.querySelectorAll("#command:not(.raw)").forEach(addCopy);
  theme.hidden = false;
  form.hidden = false;
  if (location.hash) follow();
})();
