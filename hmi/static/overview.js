// The overview's sentences: what decides the power, and what is not as it should be. The words come with the page.
"use strict";
(() => {
  const FORWARD_NONE = 0.001; // kW

  class Sentences {
    constructor(root) {
      this.root = root;
      this.plan = JSON.parse(root.dataset.plan);
      this.limit = root.querySelector("[data-limit]");
      this.notes = root.querySelector("[data-notes]");
      this.stops = new Map();
      this.wanted = new Set();
      this.clock = setInterval(() => { if (!root.isConnected) this.end(); }, 1000);
      this.say();
    }

    end() {
      clearInterval(this.clock);
      for (const stop of this.stops.values()) stop?.();
      this.stops.clear();
    }

    // what a name shows now; whoever asks is told again when it changes, and only as long as somebody asks
    look(name) {
      this.wanted.add(name);
      if (!this.stops.has(name)) {
        this.stops.set(name, null);
        this.stops.set(name, bess.listen(name, () => this.soon()));
      }
      return bess.value(name) ?? [null, 4, null];
    }

    value(name) { return this.look(name)[0]; }

    word(name) {
      const [value, , about] = this.look(name);
      return value === null ? "" : about?.names?.[String(value)] ?? "";
    }

    shown(name) {
      const [value, , about] = this.look(name);
      if (value === null) return "–";
      if (about?.names) {
        const word = this.word(name);
        return this.plan.words[name]?.[word] ?? word.replaceAll("_", " ").toLowerCase();
      }
      const text = bess.textOf(value, about ?? {});
      return about?.unit ? `${text}\u202f${about.unit}` : text;
    }

    filled(template) {
      return template.replace(/\{([\w.]+(?:\[\d+\])?)\}/g, (_, name) => (name === "battery" ? this.battery() : this.shown(name)));
    }

    // ---- what decides the power ------------------------------------------------------------------------------------------------

    reason() {
      const { texts, reasons } = this.plan;
      const [value, grade] = this.look("site.p_reason");
      if (value === null || grade === 2) return texts.unknown;
      const name = this.word("site.p_reason");
      if (name === "REQUEST" && Math.abs(this.value("site.p_request") ?? 0) < FORWARD_NONE) return texts.nothing;
      const template = reasons[name];
      return template ? this.filled(template) : texts.other.replace("{name}", name.replaceAll("_", " ").toLowerCase());
    }

    battery() {
      const { texts, racks } = this.plan;
      const asked = ["site.p_request", "site.p_services", "grid.p_support"].reduce((sum, name) => sum + (this.value(name) ?? 0), 0);
      const side = asked < 0 ? { by: "racks.charge_by", power: "racks.p_min", pin: "charge" } : { by: "racks.discharge_by", power: "racks.p_max", pin: "discharge" };
      const groups = new Map();
      for (const rack of racks) {
        const by = this.word(`${side.by}[${rack}]`);
        if (!by || by === "NOTHING" || by === "NOT_AVAILABLE") continue;
        const why = this.why(by, rack, side.pin), power = Math.abs(this.value(`${side.power}[${rack}]`) ?? 0);
        const group = groups.get(why) ?? { racks: [], power: Infinity };
        group.racks.push(rack);
        group.power = Math.min(group.power, power);
        groups.set(why, group);
      }
      const told = [...groups].sort((a, b) => a[1].power - b[1].power).slice(0, 2);
      return told.length ? told.map(([why, group]) => this.racksText(why, group.racks)).join("; ") : texts.rated;
    }

    why(by, rack, pin) {
      const { rackReasons, cellReasons, pins } = this.plan;
      if (by === "CELLS" && pins) {
        const active = this.value(`pin:racks.power[${rack}].${pin}.ACTIVE`);
        if (cellReasons[String(active)]) return cellReasons[String(active)];
      }
      return rackReasons[by] ?? by.replaceAll("_", " ").toLowerCase();
    }

    racksText(why, racks) {
      const { texts } = this.plan;
      if (racks.length === 1) return texts.one.replace("{why}", why).replace("{racks}", racks[0]);
      const first = racks.slice(0, racks.length > 4 ? 3 : 4).join(", ");
      const listed = racks.length > 4 ? texts.more.replace("{racks}", first).replace("{count}", racks.length - 3) : first;
      return texts.several.replace("{why}", why).replace("{racks}", listed);
    }

    // ---- what is not as it should be -------------------------------------------------------------------------------------------

    noted() {
      return this.plan.notes.filter(({ tag, when }) => this.value(tag) === when).map(({ text, level }) => [this.filled(text), level]);
    }

    soon() {
      this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.say(); });
    }

    say() {
      if (!this.root.isConnected && this.frame !== undefined) return;
      this.wanted = new Set();
      const text = this.plan.has ? this.reason() : "";
      if (this.limit && this.limit.textContent !== text) this.limit.textContent = text;
      const notes = this.noted(), key = JSON.stringify(notes);
      if (this.notes.dataset.key !== key) {
        this.notes.dataset.key = key;
        this.notes.replaceChildren(...notes.map(([said, level]) => {
          const line = document.createElement("li");
          line.textContent = said;
          line.className = level;
          return line;
        }));
      }
      for (const [name, stop] of this.stops) {
        if (this.wanted.has(name) || !stop) continue;
        stop();
        this.stops.delete(name);
      }
    }
  }

  window.bessOverview = { begin: (root) => new Sentences(root) };
})();
