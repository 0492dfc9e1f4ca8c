// The figures of the power screen that are computed from live values, and the list of converters that are not well.
"use strict";
(() => {
  const GRADES = ["good", "uncertain", "bad", "forced", "unknown"], RANK = [0, 2, 3, 1, 4];
  const COMPUTED = {
    deviation: ([v], plan) => (100 * (v - plan.nominal)) / plan.nominal,
    imbalance: (v) => {
      const mean = v.reduce((sum, one) => sum + one, 0) / v.length;
      return mean > 1 ? (100 * Math.max(...v.map((one) => Math.abs(one - mean)))) / mean : null;
    },
    apparent: ([p, q]) => Math.hypot(p, q),
    factor: ([p, q]) => (Math.hypot(p, q) > 0.01 ? Math.abs(p) / Math.hypot(p, q) : null),
  };

  // what a part of the screen hears, until it is replaced
  class Part {
    constructor(element) {
      this.element = element;
      this.stops = [];
      bessGauges.begin(element);
      for (const one of element.querySelectorAll("[data-derived]")) this.derive(one, JSON.parse(one.dataset.derived));
      const unwell = element.querySelector("[data-unwell]");
      if (unwell) this.watch(unwell, JSON.parse(unwell.dataset.unwell));
      const clock = setInterval(() => {
        if (element.isConnected) return;
        clearInterval(clock);
        this.stops.forEach((stop) => stop());
      }, 1000);
    }

    hear(names, draw) {
      let frame = 0;
      const soon = () => { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); };
      for (const name of names) this.stops.push(bess.listen(name, soon));
    }

    derive(element, plan) {
      element.textContent = "";
      const number = element.appendChild(document.createTextNode("–"));
      const unit = element.appendChild(document.createElement("small"));
      element.classList.add("live");
      this.hear(plan.of, () => {
        const known = plan.of.map((name) => bess.value(name) ?? [null, 4]);
        const grade = known.reduce((worst, [, one]) => (RANK[one] > RANK[worst] ? one : worst), 0);
        const value = known.every(([one]) => typeof one === "number") ? COMPUTED[plan.kind](known.map(([one]) => one), plan) : null;
        const sign = plan.kind === "deviation" && value > 0 ? "+" : "";
        number.data = value === null ? "–" : sign + value.toFixed(plan.decimals);
        unit.textContent = value === null || !plan.unit ? "" : `\u202f${plan.unit}`;
        element.dataset.q = GRADES[grade];
        element.title = [plan.of.join(", "), bess.texts[GRADES[grade]]].filter(Boolean).join(" · ");
      });
    }

    watch(list, numbers) {
      let told = "";
      this.hear(numbers.map((n) => `pcs[${n}].ok`), () => {
        const bad = numbers.filter((n) => bess.value(`pcs[${n}].ok`)?.[0] === false);
        if (told === bad.join()) return;
        told = bad.join();
        list.hidden = !bad.length;
        list.textContent = list.dataset.label;
        for (const n of bad.slice(0, 8)) {
          const link = list.appendChild(document.createElement("a"));
          link.href = `/power?converter=${n}`;
          link.className = "button";
          link.textContent = n;
        }
        if (bad.length > 8) list.append(` +${bad.length - 8}`);
      });
    }
  }

  function begin(root) {
    const parts = new Map(); // selector -> the part that stands there now
    const look = () => {
      for (const selector of [".connection", ".converters"]) {
        const element = root.querySelector(selector);
        if (element && parts.get(selector) !== element) {
          parts.set(selector, element);
          new Part(element);
        }
      }
    };
    new MutationObserver(look).observe(root, { subtree: true, childList: true });
    look();
    root.addEventListener("click", (event) => { // another page of converters: the screen stays
      const link = event.target.closest?.('a[href^="/power?converter="]');
      if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      const href = link.getAttribute("href");
      history.replaceState(history.state, "", href);
      root.dispatchEvent(new CustomEvent("converters", { detail: new URL(href, location.origin).searchParams.get("converter") }));
    });
  }

  window.bessPower = { begin };
})();
