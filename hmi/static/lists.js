// What lists of the screens share: elements, times, tabs, asking the server, and tables that are read page by page.
"use strict";
window.bessLists ??= (() => {
  // make("td", {class: "x", text: "...", onclick: f, "data-a": 1}, child, ...): text is never markup
  function make(name, facts = {}, ...children) {
    const element = document.createElement(name);
    for (const [word, value] of Object.entries(facts)) {
      if (value === undefined || value === null || value === false) continue;
      if (word === "text") element.textContent = value;
      else if (word.startsWith("on")) element.addEventListener(word.slice(2), value);
      else if (word === "value") element.value = value;
      else element.setAttribute(word, value === true ? "" : String(value));
    }
    element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  }

  const filled = (template, facts) => template.replace(/\{(\w+)\}/g, (all, word) => facts[word] ?? all);
  const two = (number) => String(number).padStart(2, "0");

  function dateText(at) {
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  }

  // local time: the clock alone where it is today, the date before it otherwise
  function timeText(iso, isLong = false) {
    if (!iso) return "–";
    const at = new Date(iso), clock = at.toLocaleTimeString("en-GB");
    const exact = isLong ? `.${String(at.getMilliseconds()).padStart(3, "0")}` : "";
    return dateText(at) === dateText(new Date()) ? clock + exact : `${dateText(at)} ${clock}${exact}`;
  }

  function spanText(seconds, units) {
    let left = Math.max(0, Math.floor(seconds));
    if (left >= 600) left -= left % 60; // seconds of what is old say nothing, and would change every line each second
    const parts = [];
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
      const count = Math.floor(left / size);
      left -= count * size;
      if (count || (unit === "s" && !parts.length)) parts.push(`${count} ${units[unit]}`);
      if (parts.length === 2 || (parts.length && !count)) break;
    }
    return parts.join(" ");
  }

  function sizeText(bytes) {
    return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }

  async function whyNot(answer) {
    const text = await answer.text();
    if (!answer.headers.get("content-type")?.includes("json")) return text || String(answer.status);
    const said = JSON.parse(text).detail;
    return Array.isArray(said) ? said.map((fault) => `${fault.loc?.at(-1)}: ${fault.msg}`).join("; ") : String(said ?? answer.status);
  }

  // the answer as JSON; throws an Error that says in words why there is none
  async function ask(path, facts = {}, headers = {}) {
    const known = Object.entries(facts).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
    const answer = await fetch(`${path}${known.length ? `?${new URLSearchParams(known)}` : ""}`, { headers });
    if (answer.status === 304) return null;
    if (!answer.ok) throw new Error(await whyNot(answer));
    const said = await answer.json();
    said.etag = answer.headers.get("etag") ?? "";
    return said;
  }

  // a row of tabs; arrow keys go from one to the next
  function tabs(label, names, choose) {
    const bar = make("div", { class: "tabs", role: "tablist", "aria-label": label });
    const buttons = new Map();
    for (const [name, text] of Object.entries(names)) {
      const button = make("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": "false", tabindex: -1 },
        make("span", { text }), make("span", { class: "count" }));
      button.addEventListener("click", () => choose(name));
      buttons.set(name, button);
      bar.append(button);
    }
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const order = [...buttons.keys()], at = order.findIndex((name) => buttons.get(name) === document.activeElement);
      const next = order[(at + step + order.length) % order.length];
      choose(next);
      buttons.get(next).focus();
      event.preventDefault();
    });
    return {
      bar,
      mark(chosen) {
        for (const [name, button] of buttons) {
          button.setAttribute("aria-selected", String(name === chosen));
          button.tabIndex = name === chosen ? 0 : -1;
        }
      },
      count(name, count) {
        const place = buttons.get(name)?.querySelector(".count");
        if (place && place.textContent !== count) place.textContent = count;
      },
    };
  }

  function select(label, options, change) {
    const box = make("select", { "aria-label": label });
    for (const [value, text] of options) box.append(make("option", { value, text }));
    if (change) box.addEventListener("change", change);
    return box;
  }

  function field(label, input) {
    return make("label", { class: "field" }, make("span", { text: label }), input);
  }

  // which time: all of it, the last so many hours, or between two moments that are entered
  function period(texts) {
    const start = make("input", { type: "datetime-local", step: 1 }), end = make("input", { type: "datetime-local", step: 1 });
    const between = make("div", { class: "filters", hidden: true }, field(texts.from, start), field(texts.until, end));
    const choice = select(texts.period_label, texts.times);
    choice.addEventListener("change", () => { between.hidden = choice.value !== "between"; });
    return {
      choice, between, inputs: [choice, start, end],
      facts() {
        const hours = Number(choice.value);
        if (hours) return { start: Date.now() - hours * 3600000 };
        if (choice.value !== "between") return {};
        return { ...(start.value ? { start: new Date(start.value).getTime() } : {}), ...(end.value ? { end: new Date(end.value).getTime() + 999 } : {}) };
      },
    };
  }

  // a table that is read page by page. about: {url, label, texts, columns: [[head, cell(row) -> Node or text, class]],
  // fields: what stands above it, filters: {name: input}, rowClass(row)}
  function pages(about) {
    const { texts } = about;
    const body = make("tbody");
    const head = make("thead", {}, make("tr", {}, ...about.columns.map(([text, , kind]) => make("th", { scope: "col", class: kind, text }))));
    const scroll = make("div", { class: "scroll paged live", tabindex: 0, role: "region", "aria-label": about.label },
      make("table", { class: "list" }, make("caption", { class: "unseen", text: about.label }), head, body));
    const place = make("span", { class: "note", role: "status" });
    const newest = make("button", { type: "button", text: texts.newest }), newer = make("button", { type: "button", text: texts.newer });
    const older = make("button", { type: "button", text: texts.older });
    const times = period(texts);
    const file = make("a", { class: "button", download: "", text: texts.export });
    const form = make("form", { class: "filters", role: "search" }, ...about.fields, times.choice, make("span", { class: "grow" }), file);
    let before = [], at = 0, next = null, asked = 0, until = null; // until: of the first page, so that news moves nothing

    function facts() {
      const found = Object.fromEntries(Object.entries(about.filters).map(([name, input]) => [name, input.type === "checkbox" ? input.checked : input.value.trim()]));
      return { ...found, ...times.facts() };
    }

    async function read() {
      const mine = ++asked;
      place.textContent = texts.reading;
      const known = Object.entries({ ...facts(), csv: true }).filter(([, value]) => value !== "" && value !== false);
      file.href = `${about.url}?${new URLSearchParams(known)}`;
      let said;
      try {
        said = await ask(about.url, { ...facts(), ...(at && until ? { end: until } : {}), at });
      } catch (error) {
        if (mine !== asked) return;
        body.replaceChildren();
        next = null;
        say(filled(texts.unreadable, { why: error.message }));
        return;
      }
      if (mine !== asked) return;
      body.replaceChildren(...said.items.map((row) => make("tr", { class: about.rowClass?.(row) },
        ...about.columns.map(([, cell, kind]) => {
          const shown = cell(row);
          return shown instanceof Node ? make("td", { class: kind }, shown) : make("td", { class: kind, text: shown ?? "" });
        }))));
      next = said.older;
      if (!at) until = said.end;
      scroll.scrollTop = 0;
      say(said.items.length ? said.is_cut ? texts.cut : "" : texts.nothing);
    }

    function say(text) {
      place.textContent = text;
      older.disabled = next === null;
      newest.disabled = newer.disabled = !before.length;
    }

    older.addEventListener("click", () => { before.push(at); at = next; read(); });
    newer.addEventListener("click", () => { at = before.pop() ?? 0; read(); });
    newest.addEventListener("click", () => { before = []; at = 0; read(); });
    const anew = () => { before = []; at = 0; read(); };
    form.addEventListener("submit", (event) => { event.preventDefault(); anew(); });
    let waiting = 0;
    for (const input of [...Object.values(about.filters), ...times.inputs]) {
      const isTyped = input.type === "search";
      input.addEventListener(isTyped ? "input" : "change", () => { clearTimeout(waiting); waiting = setTimeout(anew, isTyped ? 300 : 0); });
    }
    const root = make("div", { class: "pages" }, form, times.between, scroll, make("div", { class: "pager" }, newest, newer, older, place));
    return { root, read };
  }

  return { make, filled, timeText, spanText, sizeText, ask, tabs, select, field, pages };
})();
