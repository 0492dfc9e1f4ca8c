// A chart of values that hold until the next one: a strip for each unit, a row for each switch, two cursors, touch, wheel and keys.
// It knows neither where values come from nor what a screen does with them. Lines are asked for what lies in the view.
"use strict";
window.bessPlot = (() => {
  const { forgetHatches } = bessShapes,
    { stripsOf, LEFT, RIGHT } = bessPlotAxes,
    { Painting } = bessPlotPaint,
    { Cursors } = bessPlotCursors;

  class Plot {
    // `options`: isRelative (seconds), shortest, longest (of the view), texts, timeText, onView, onHome, onCursors, onTouch.
    constructor(root, options) {
      this.root = root;
      this.options = options;
      this.lines = [];
      this.marks = [];
      this.view = { start: 0, end: 1 };
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
      this.pair = new Cursors(this);
      this.sizes = new ResizeObserver(() => {
        this.chart?.resize();
        this.draw();
      });
      this.sizes.observe(root);
      bessPlotGestures.listen(this);
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

    // ---- places: px from the left of the chart, and the time that stands there

    get width() {
      return Math.max(this.root.clientWidth - LEFT - RIGHT, 50);
    }
    xOf(t) {
      return LEFT + ((t - this.view.start) / (this.view.end - this.view.start)) * this.width;
    }
    timeOf(x) {
      return this.view.start + ((x - LEFT) / this.width) * (this.view.end - this.view.start);
    }
    placeOf(event) {
      return event.clientX - this.root.getBoundingClientRect().left;
    }

    // ---- what is in view

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
      this.pair.follow();
      if (byHand) this.options.onView(this.view);
      this.drawSoon();
    }

    // The times of both cursors in the axis' unit, null where they are not shown.
    get cursors() {
      return this.pair.times;
    }
    setCursors(isOn) {
      this.pair.set(isOn);
    }

    // ---- drawing

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
        strips = stripsOf(this.lines, this.root.clientHeight),
        painting = new Painting(this, this.ink());
      const shape = JSON.stringify([
        strips.map((strip) => [strip.unit, strip.top, strip.height]),
        this.lines.map((line) => [line.name, line.kind, line.number, line.isKnown]),
      ]);
      this.chart.setOption(painting.option(strips), { notMerge: shape !== this.shape, lazyUpdate: false });
      this.shape = shape;
      this.cost = performance.now() - begun;
      this.empty.hidden = painting.isAny || (!this.lines.length && !this.options.isRelative);
      this.pair.place();
    }
  }

  return { Plot };
})();
