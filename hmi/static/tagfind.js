// Finds tags and pins by their names and texts while somebody types: a combobox after the ARIA pattern, over `/data/tags`.
"use strict";
window.bessTagFind = (() => {
  const WAIT_MS = 150,
    ELEMENTS = 60;

  // `box` holds an <input> and an <ul>; `pick(name)` is told what was chosen. `withPins`: pins of blocks, too.
  function begin(box, pick, { withPins = false, texts }) {
    const input = box.querySelector("input"),
      list = box.querySelector("ul");
    const arrays = new Map(); // lower-case name of an array -> what is known of it
    let found = [],
      active = -1,
      waiting = 0,
      asked = null;

    const close = () => {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    };

    function show(items, note = "") {
      found = items;
      active = -1;
      list.replaceChildren(...items.map((item, at) => option(item, at)), ...(note ? [remark(note)] : []));
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }

    function remark(text) {
      const row = document.createElement("li");
      row.className = "note";
      row.textContent = text;
      row.setAttribute("role", "option");
      row.setAttribute("aria-disabled", "true");
      return row;
    }

    function option(item, at) {
      const row = document.createElement("li");
      row.id = `${list.id}-${at}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", "false");
      const name = row.appendChild(document.createElement("b"));
      name.textContent = item.length ? `${item.name}[1..${item.length}]` : item.name;
      const more = row.appendChild(document.createElement("small"));
      more.textContent = [item.unit, item.pin ? texts.pin : item.text].filter(Boolean).join(" · ");
      row.addEventListener("pointerdown", (event) => event.preventDefault()); // the input keeps the focus
      row.addEventListener("click", () => choose(item));
      return row;
    }

    function choose(item) {
      if (item.length) {
        // of an array one element is wanted
        arrays.set(item.name.toLowerCase(), item);
        input.value = `${item.name}[`;
        input.focus();
        return elements();
      }
      input.value = "";
      close();
      pick(item.name);
    }

    function elements() {
      const parts = /^(.+)\[(\d*)\]?$/.exec(input.value.trim()),
        item = parts && arrays.get(parts[1].toLowerCase());
      if (!item) return false;
      const fitting = [];
      for (let n = 1; n <= item.length && fitting.length < ELEMENTS; n++)
        if (String(n).startsWith(parts[2])) fitting.push({ ...item, name: `${item.name}[${n}]`, length: 0 });
      show(fitting, fitting.length ? "" : texts.none);
      return true;
    }

    async function ask() {
      const text = input.value.trim();
      asked?.abort();
      if (elements()) return;
      asked = new AbortController();
      try {
        const answer = await fetch(`/data/tags?find=${encodeURIComponent(text)}${withPins ? "&pins=true" : ""}`, {
          signal: asked.signal,
        });
        if (!answer.ok) throw new Error(`${answer.status}`);
        const items = await answer.json();
        for (const item of items) if (item.length) arrays.set(item.name.toLowerCase(), item);
        if (document.activeElement === input) show(items, items.length ? "" : texts.none);
      } catch (error) {
        if (error.name !== "AbortError") show([], `${texts.failed} (${error.message})`);
      }
    }

    function move(step) {
      if (!found.length) return;
      list.children[active]?.setAttribute("aria-selected", "false");
      active = (active + step + found.length) % found.length;
      const row = list.children[active];
      row.setAttribute("aria-selected", "true");
      row.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", row.id);
    }

    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(ask, WAIT_MS);
    });
    input.addEventListener("focus", () => {
      if (input.value.trim()) ask();
    });
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") {
        if (list.hidden) ask();
        else move(1);
      } else if (event.key === "ArrowUp") move(-1);
      else if (event.key === "Escape") {
        input.value = "";
        close();
      } else if (event.key === "Enter") {
        const item = found[Math.max(active, 0)];
        if (!list.hidden && item) choose(item);
      } else return;
      event.preventDefault();
    });
    close();
  }

  return { begin };
})();
