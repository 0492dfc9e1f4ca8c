// A chart of values that hold until the next one: a strip for each unit, a row for each switch, two cursors, touch, wheel and keys.
// It knows neither where values come from nor what a screen does with them. Lines are asked for what lies in the view.
"use strict";
window.bessPlot = (() => {
  const LEFT = 74,
    RIGHT = 26,
    TOP = 14,
    BOTTOM = 28,
    GAP = 16,
    HOLE = 7,
    MARK = 9;
  const {
    readAt,
    thinned,
    textOf,
    numberText,
    scaleFor,
    runsOf,
    bandsOf,
    rectangle,
    bandShape,
    markShape,
    hatch,
    forgetHatches,
    ROW,
    NUMBER,
    SEVERITIES,
  } = bessShapes;

  // ---- the chart -------------------------------------------------------------------------------------------------------------

  class Plot {
    // `options`: isRelative (seconds), shortest, longest (of the view), texts, timeText, onView, onHome, onCursors, onTouch.
    constructor(root, options) {
      this.root = root;
      this.options = options;
      this.lines = [];
      this.marks = [];
      this.view = { start: 0, end: 1 };
      this.cursors = null; // [a, b] in the axis' unit
      this.isAuto = true;
      this.cost = 0; // ms that the last drawing took
      this.waits = false;
      root.classList.add("plot");
      root.innerHTML = "";
      this.canvas = root.appendChild(document.createElement("div"));
      this.canvas.className = "plot-canvas live";
      this.touch = root.appendChild(document.createElement("div"));
      this.touch.className = "plot-touch";
      this.touch.tabIndex = 0;
      this.touch.setAttribute("role", "application");
      this.touch.setAttribute("aria-label", options.texts.chart);
      this.empty = this.root.appendChild(document.createElement("p"));
      this.empty.className = "plot-empty";
      this.empty.textContent = options.texts.empty;
      this.handles = ["A", "B"].map((name, at) => this.makeHandle(name, at));
      this.sizes = new ResizeObserver(() => {
        this.chart?.resize();
        this.draw();
      });
      this.sizes.observe(root);
      this.gestures();
      this.recolour = () => {
        forgetHatches();
        this.shape = "";
        this.draw();
      };
      document.addEventListener("bess:colours", this.recolour);
    }

    async begin() {
      const { echarts } = await import("nicegui-echart");
      this.chart = echarts.init(this.canvas, null, { renderer: "canvas" });
      this.draw();
    }

    end() {
      this.sizes.disconnect();
      document.removeEventListener("bess:colours", this.recolour);
      this.chart?.dispose();
      this.chart = null;
    }

    get width() {
      return Math.max(this.root.clientWidth - LEFT - RIGHT, 50);
    }
    xOf(t) {
      return LEFT + ((t - this.view.start) / (this.view.end - this.view.start)) * this.width;
    }
    timeOf(x) {
      return this.view.start + ((x - LEFT) / this.width) * (this.view.end - this.view.start);
    }

    // Show this stretch of time; `byHand` says that somebody moved it.
    show(start, end, byHand = false) {
      const { shortest, longest } = this.options;
      const span = Math.min(Math.max(end - start, shortest), longest),
        middle = (start + end) / 2;
      if (span !== end - start) {
        start = middle - span / 2;
        end = middle + span / 2;
      }
      this.view = { start, end };
      if (this.cursors?.every((t) => t < start || t > end)) this.setCursors(true); // out of reach: they come along
      if (byHand) this.options.onView(this.view);
      this.drawSoon();
    }

    drawSoon() {
      if (this.waits) return;
      this.waits = true;
      requestAnimationFrame(() => {
        this.waits = false;
        this.draw();
      });
    }

    ink() {
      const names = ["ink", "soft", "line", "grid", "raised", "panel", "stale", "critical", "error", "warning"];
      return Object.fromEntries(names.map((name) => [name, bess.colour(name)]));
    }

    draw() {
      if (!this.chart || !this.root.isConnected || !this.root.clientWidth) return;
      const begun = performance.now(),
        strips = this.strips(),
        ink = this.ink();
      const shape = JSON.stringify([
        strips.map((strip) => [strip.unit, strip.top, strip.height]),
        this.lines.map((line) => [line.name, line.kind, line.number, line.isKnown]),
      ]);
      this.chart.setOption(this.option(strips, ink), { notMerge: shape !== this.shape, lazyUpdate: false });
      this.shape = shape;
      this.cost = performance.now() - begun;
      this.empty.hidden = this.isAny || (!this.lines.length && !this.options.isRelative);
      this.placeHandles();
    }

    // Where each unit's strip stands, and that of the switches and enumerations below them.
    strips() {
      const height = this.root.clientHeight,
        units = new Map(),
        rows = [];
      for (const line of this.lines.filter((one) => one.isKnown !== false)) {
        if (line.kind !== NUMBER) rows.push(line);
        else if (units.has(line.unit)) units.get(line.unit).push(line);
        else units.set(line.unit, [line]);
      }
      const below = rows.length ? rows.length * ROW + GAP : 0;
      const room = height - TOP - BOTTOM - below - GAP * Math.max(units.size - 1, 0);
      const each = units.size ? Math.max(room / units.size, 24) : 0;
      const strips = [...units].map(([unit, lines], at) => ({
        unit,
        lines,
        isRows: false,
        top: TOP + at * (each + GAP),
        height: each,
      }));
      if (rows.length)
        strips.push({ unit: "", lines: rows, isRows: true, top: height - BOTTOM - rows.length * ROW, height: rows.length * ROW });
      if (!strips.length) strips.push({ unit: "", lines: [], isRows: false, top: TOP, height: height - TOP - BOTTOM });
      return strips;
    }

    option(strips, ink) {
      this.isAny = false;
      const option = {
        animation: false,
        backgroundColor: "transparent",
        textStyle: { fontFamily: "inherit" },
        grid: [],
        xAxis: [],
        yAxis: [],
        series: [],
      };
      const marks = this.marksInView();
      strips.forEach((strip, at) => {
        const isLast = at === strips.length - 1;
        option.grid.push({
          left: LEFT,
          right: RIGHT,
          top: strip.top,
          height: strip.height,
          outerBoundsMode: "none",
          show: true,
          borderColor: ink.line,
          borderWidth: 1,
        });
        option.xAxis.push(this.timeAxis(at, isLast, ink));
        option.yAxis.push(strip.isRows ? this.rowAxis(at, strip, ink) : null);
        const items = marks
          .filter((mark) => !at || mark.severity !== "warning")
          .map((mark) => ({ kind: "mark", start: mark.t, end: mark.t, mark }));
        if (strip.isRows) items.push(...this.rowItems(strip));
        else this.numbers(option, strip, at, items, ink);
        option.series.push(this.overlay(at, items, ink));
      });
      return option;
    }

    // Where several would hide each other, the gravest.
    marksInView() {
      const found = new Map();
      for (const mark of this.marks) {
        if (mark.t < this.view.start || mark.t > this.view.end) continue;
        const place = Math.floor(this.xOf(mark.t) / MARK),
          before = found.get(place);
        if (!before || SEVERITIES.indexOf(mark.severity) > SEVERITIES.indexOf(before.severity)) found.set(place, mark);
      }
      return [...found.values()];
    }

    timeAxis(at, isLast, ink) {
      const { start, end } = this.view;
      return {
        gridIndex: at,
        type: this.options.isRelative ? "value" : "time",
        min: start,
        max: end,
        axisLine: { show: false },
        splitLine: { show: true, lineStyle: { color: ink.grid } },
        axisTick: { show: isLast, lineStyle: { color: ink.line } },
        splitNumber: Math.max(2, Math.round(this.width / 110)),
        axisLabel: {
          show: isLast,
          color: ink.soft,
          fontSize: 12,
          hideOverlap: true,
          showMinLabel: false,
          showMaxLabel: false,
          formatter: (t) => this.axisText(t),
        },
      };
    }

    axisText(t) {
      const span = this.view.end - this.view.start;
      if (this.options.isRelative) return `${Number(t.toPrecision(8))} s`;
      const moment = new Date(t),
        two = (number) => String(number).padStart(2, "0");
      const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
      const day = `${moment.getDate()} ${moment.toLocaleString("en-GB", { month: "short" })}`;
      if (span > 4 * 86400e3) return moment.getHours() ? clock : day;
      if (span > 3 * 3600e3) return moment.getHours() + moment.getMinutes() ? clock : day;
      if (span < 5e3) return `${clock}:${two(moment.getSeconds())}.${Math.floor(moment.getMilliseconds() / 100)}`;
      return `${clock}:${two(moment.getSeconds())}`;
    }

    rowAxis(at, strip, ink) {
      const labels = strip.lines.map((line) => String(line.number)).reverse();
      return {
        gridIndex: at,
        type: "category",
        data: labels,
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { show: false },
        axisLabel: { color: ink.ink, fontSize: 12, fontWeight: 600, interval: 0 },
      };
    }

    rowItems(strip) {
      return strip.lines.flatMap((line, row) => {
        const data = this.dataOf(line);
        return bandsOf(data, this.view.end).map((band) => ({ kind: "band", row, line, ...band }));
      });
    }

    dataOf(line) {
      const { start, end } = this.view,
        data = thinned(line.data(start, end), start, end, Math.round(this.width));
      this.isAny ||= data.t.length > 0 && data.until > start;
      return data;
    }

    numbers(option, strip, at, items, ink) {
      let low = Infinity,
        high = -Infinity,
        slot = 0;
      for (const line of strip.lines) {
        const data = this.dataOf(line),
          runs = runsOf(data, this.view.end);
        for (const [, value] of [...runs.sure, ...runs.unsure])
          if (value !== null) {
            low = Math.min(low, value);
            high = Math.max(high, value);
          }
        for (const [start, end] of runs.holes) items.push({ kind: "hole", start, end, slot, line });
        slot += runs.holes.length > 0;
        option.series.push(this.series(line, "sure", runs.sure, at, data), this.series(line, "unsure", runs.unsure, at, data));
      }
      option.yAxis[at] = this.valueAxis(strip, at, low, high, ink);
    }

    valueAxis(strip, at, low, high, ink) {
      const ranged = strip.lines.filter((line) => line.min !== undefined && line.max !== undefined);
      if (!this.isAuto && ranged.length) {
        // what is seen beyond it stays in sight
        low = Math.min(...ranged.map((line) => line.min), low);
        high = Math.max(...ranged.map((line) => line.max), high);
      }
      const isEmpty = !Number.isFinite(low);
      if (isEmpty) {
        low = 0;
        high = 1;
      }
      const decimals = Math.max(...strip.lines.map((line) => line.decimals), 0);
      const scale = scaleFor(
        low,
        high,
        Math.max(2, Math.round(strip.height / 42)),
        4 * 10 ** -Math.min(decimals, 6),
        this.isAuto || !ranged.length ? 0.04 : 0,
      );
      const places = Math.max(0, Math.min(6, -Math.floor(Math.log10(scale.interval) + 1e-9)));
      return {
        gridIndex: at,
        type: "value",
        ...scale,
        name: strip.unit,
        nameLocation: "middle",
        nameGap: 58,
        nameTextStyle: { color: ink.ink, fontSize: 12, fontWeight: 600 },
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { lineStyle: { color: ink.grid } },
        axisLabel: {
          show: !isEmpty,
          color: ink.soft,
          fontSize: 12,
          hideOverlap: true,
          formatter: (value) => numberText(Math.abs(value) < scale.interval / 1e6 ? 0 : value, places),
        },
      };
    }

    series(line, which, points, at, data) {
      const isEnd = data.v.length && data.v.at(-1) !== null && (which === "sure") === (data.q.at(-1) === 0);
      return {
        id: `${which}-${line.name}`,
        type: "line",
        xAxisIndex: at,
        yAxisIndex: at,
        data: points,
        step: "end",
        symbol: "none",
        silent: true,
        connectNulls: false,
        clip: true,
        lineStyle: { color: line.colour, width: 1.8, type: which === "sure" ? "solid" : [3, 3] },
        itemStyle: { color: line.colour },
        emphasis: { disabled: true },
        endLabel: {
          show: Boolean(isEnd),
          formatter: String(line.number),
          color: line.colour,
          fontWeight: 700,
          fontSize: 12,
          distance: 4,
        },
        labelLayout: { moveOverlap: "shiftY" },
      };
    }

    overlay(at, items, ink) {
      const draw = (params, api) => {
        const item = items[params.dataIndex],
          system = params.coordSys;
        const clip = (t) => Math.min(Math.max(api.coord([t, 0])[0], system.x), system.x + system.width);
        const x0 = clip(item.start),
          x1 = clip(item.end);
        if (item.kind === "mark") return markShape(item.mark, x0, system, at === 0, ink);
        if (item.end < this.view.start || item.start > this.view.end) return null;
        if (item.kind === "band") return bandShape(item, x0, x1, system.y + item.row * ROW + 4, ink);
        return rectangle(x0, x1, system.y + system.height - (item.slot + 1) * (HOLE + 1), HOLE, {
          fill: hatch(item.line.colour),
          stroke: item.line.colour,
          lineWidth: 0.5,
        });
      };
      return {
        id: `over-${at}`,
        type: "custom",
        coordinateSystem: "cartesian2d",
        xAxisIndex: at,
        yAxisIndex: at,
        data: items.map((item) => [item.start, 0]),
        renderItem: draw,
        silent: true,
        clip: false,
        z: 5,
        animation: false,
      };
    }

    // ---- cursors

    makeHandle(name, at) {
      const handle = this.root.appendChild(document.createElement("div"));
      handle.className = "plot-cursor";
      handle.dataset.name = name;
      handle.tabIndex = 0;
      handle.hidden = true;
      handle.setAttribute("role", "slider");
      handle.setAttribute("aria-label", this.options.texts.cursor.replace("{name}", name));
      handle.addEventListener("pointerdown", (event) => {
        handle.setPointerCapture(event.pointerId);
        handle.focus();
        event.preventDefault();
      });
      handle.addEventListener("pointermove", (event) => {
        if (handle.hasPointerCapture(event.pointerId))
          this.moveCursor(at, this.timeOf(event.clientX - this.root.getBoundingClientRect().left));
      });
      handle.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step || !this.cursors) return;
        event.preventDefault();
        const pixels = event.shiftKey ? this.width / 20 : 1;
        this.moveCursor(at, this.cursors[at] + (step * pixels * (this.view.end - this.view.start)) / this.width);
      });
      return handle;
    }

    moveCursor(at, t) {
      this.cursors[at] = Math.min(Math.max(t, this.view.start), this.view.end);
      this.placeHandles();
      this.options.onCursors();
    }

    setCursors(isOn) {
      const { start, end } = this.view;
      this.cursors = isOn ? [start + (end - start) / 3, start + ((end - start) * 2) / 3] : null;
      this.placeHandles();
      this.options.onCursors();
    }

    placeHandles() {
      this.handles.forEach((handle, at) => {
        const t = this.cursors?.[at];
        handle.hidden = t === undefined || t < this.view.start || t > this.view.end;
        if (handle.hidden) return;
        handle.style.left = `${this.xOf(t)}px`;
        for (const [word, value] of [
          ["valuenow", t],
          ["valuemin", this.view.start],
          ["valuemax", this.view.end],
          ["valuetext", this.options.timeText(t)],
        ])
          handle.setAttribute(`aria-${word}`, String(value));
      });
    }

    // ---- touch, wheel, keys

    gestures() {
      const pointers = new Map(),
        touch = this.touch;
      let before = null;
      const measure = () => {
        const at = [...pointers.values()];
        return {
          middle: at.reduce((sum, x) => sum + x, 0) / at.length,
          apart: at.length > 1 ? Math.max(Math.abs(at[0] - at[1]), 20) : 0,
        };
      };
      const place = (event) => event.clientX - this.root.getBoundingClientRect().left;
      touch.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        touch.setPointerCapture(event.pointerId);
        pointers.set(event.pointerId, place(event));
        before = measure();
        this.pressed = place(event);
      });
      touch.addEventListener("pointermove", (event) => {
        if (!pointers.has(event.pointerId)) return;
        pointers.set(event.pointerId, place(event));
        const now = measure();
        if (before && Math.abs(now.middle - before.middle) + Math.abs(now.apart - before.apart) >= 2) {
          const span = this.view.end - this.view.start,
            scale = now.apart && before.apart ? before.apart / now.apart : 1;
          const fixed = this.timeOf(before.middle),
            start = fixed - ((now.middle - LEFT) / this.width) * span * scale;
          this.show(start, start + span * scale, true);
          before = now;
        }
      });
      const leave = (event) => {
        if (pointers.size === 1 && pointers.has(event.pointerId) && Math.abs(place(event) - this.pressed) < 5)
          this.options.onTouch?.(place(event));
        pointers.delete(event.pointerId);
        before = pointers.size ? measure() : null;
      };
      for (const kind of ["pointerup", "pointercancel"]) touch.addEventListener(kind, leave);
      touch.addEventListener(
        "wheel",
        (event) => {
          event.preventDefault();
          if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
            this.pan((event.deltaX || event.deltaY) / this.width);
          else this.zoom(1.0015 ** event.deltaY, this.timeOf(place(event)));
        },
        { passive: false },
      );
      touch.addEventListener("dblclick", () => this.options.onHome());
      touch.addEventListener("keydown", (event) => this.key(event));
    }

    key(event) {
      const keys = {
        ArrowLeft: () => this.pan(event.shiftKey ? -0.5 : -0.1),
        ArrowRight: () => this.pan(event.shiftKey ? 0.5 : 0.1),
        PageUp: () => this.pan(-1),
        PageDown: () => this.pan(1),
        Home: () => this.options.onHome(),
        "+": () => this.zoom(0.7),
        "=": () => this.zoom(0.7),
        ArrowUp: () => this.zoom(0.7),
        "-": () => this.zoom(1.4),
        ArrowDown: () => this.zoom(1.4),
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    }

    pan(share) {
      const by = share * (this.view.end - this.view.start);
      this.show(this.view.start + by, this.view.end + by, true);
    }

    zoom(factor, around = (this.view.start + this.view.end) / 2) {
      const { shortest, longest } = this.options,
        span = this.view.end - this.view.start;
      const wanted = Math.min(Math.max(span * factor, shortest), longest),
        start = around - ((around - this.view.start) * wanted) / span;
      this.show(start, start + wanted, true);
    }

    // ---- what leaves the page

    // The chart with its legend and title as a PNG's data.
    picture(title) {
      const ink = this.ink(),
        lines = this.lines.filter((line) => line.isKnown !== false);
      const scale = 2,
        row = 20,
        foot = 14 + row * Math.ceil(lines.length / 2),
        head = 30;
      const width = this.root.clientWidth,
        height = this.root.clientHeight;
      const canvas = document.createElement("canvas"),
        pen = canvas.getContext("2d");
      canvas.width = width * scale;
      canvas.height = (height + head + foot) * scale;
      pen.scale(scale, scale);
      pen.fillStyle = ink.panel;
      pen.fillRect(0, 0, width, height + head + foot);
      pen.fillStyle = ink.ink;
      pen.font = "600 14px sans-serif";
      pen.fillText(title, 12, 20, width - 24);
      pen.drawImage(this.chart.getRenderedCanvas({ pixelRatio: scale }), 0, head, width, height);
      pen.font = "13px sans-serif";
      this.cursors?.forEach((t, at) => {
        if (t < this.view.start || t > this.view.end) return;
        pen.fillRect(this.xOf(t), head + TOP, 1, height - TOP - BOTTOM);
        pen.fillText("AB"[at], this.xOf(t) + 3, head + TOP + 12);
      });
      lines.forEach((line, at) => {
        const x = 12 + ((at % 2) * width) / 2,
          y = head + height + 14 + row * Math.floor(at / 2);
        pen.fillStyle = line.colour;
        pen.fillRect(x, y - 10, 12, 12);
        pen.fillStyle = ink.ink;
        const more = this.cursors
          ? this.cursors.map((t, place) => `  ${"AB"[place]} ${textOf(line, this.valueAt(line, t))}`).join("")
          : "";
        pen.fillText(`${line.number}  ${line.name}${line.unit ? ` [${line.unit}]` : ""}${more}`, x + 18, y, width / 2 - 34);
      });
      return canvas.toDataURL("image/png");
    }

    valueAt(line, t) {
      return readAt(line.data(t, t), t)?.[0] ?? null;
    }

    // What is in the view as rows: a time, and what each line was then.
    rows() {
      const { start, end } = this.view,
        parts = this.lines.map((line) => line.data(start, end));
      const times = [...new Set([start, ...parts.flatMap((data) => data.t.filter((t) => t > start && t <= end))])].sort(
        (a, b) => a - b,
      );
      return times.map((t) => [t, parts.map((data) => readAt(data, t))]).filter(([, values]) => values.some(Boolean));
    }
  }

  return { Plot };
})();
