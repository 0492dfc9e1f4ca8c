// Which part of a drawing is seen, and how large: by wheel, touch, pinch and buttons.
"use strict";
(() => {
  const TAP_PX = 7, LARGEST = 3;

  class View { // which part of the drawing is seen, and how large
    constructor(canvas, changed) {
      this.canvas = canvas;
      this.changed = changed;
      this.x = this.y = 0;
      this.scale = 1;
      this.touches = new Map();
      this.resized = new ResizeObserver(() => this.draw());
      this.resized.observe(canvas);
      canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        const by = Math.max(-60, Math.min(60, event.deltaY * (event.deltaMode ? 18 : 1)));
        this.zoom(Math.exp(-by / 240), ...this.within(event));
      }, { passive: false });
      canvas.addEventListener("pointerdown", (event) => this.press(event));
      canvas.addEventListener("pointermove", (event) => this.move(event));
      for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.release(event));
    }

    show(sheet, view) {
      this.svg = sheet.svg;
      ({ width: this.width, height: this.height } = sheet);
      if (view) ({ x: this.x, y: this.y, scale: this.scale } = view);
      else this.begin(sheet.pieces.find(({ isBox }) => isBox) ?? sheet.pieces[0]);
      this.draw();
    }

    get fitting() { return Math.min(this.canvas.clientWidth / this.width, this.canvas.clientHeight / this.height, 1.5) || 0.1; }

    begin(first) { // all of it where that can be read, else what runs first
      this.scale = Math.max(this.fitting, 0.7);
      if (this.fitting >= 0.7 || !first) return this.fit();
      this.x = Math.max(0, first.place[0] - 0.4 * this.canvas.clientWidth / this.scale);
      this.y = Math.max(0, first.place[1] - 0.4 * this.canvas.clientHeight / this.scale);
    }

    fit() {
      this.scale = this.fitting;
      this.x = (this.width - this.canvas.clientWidth / this.scale) / 2;
      this.y = (this.height - this.canvas.clientHeight / this.scale) / 2;
      this.draw();
    }

    within(event) {
      const { left, top } = this.canvas.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    }

    zoom(factor, px = this.canvas.clientWidth / 2, py = this.canvas.clientHeight / 2) {
      const next = Math.max(this.fitting * 0.8, Math.min(LARGEST, this.scale * factor));
      this.x += px / this.scale - px / next;
      this.y += py / this.scale - py / next;
      this.scale = next;
      this.draw();
    }

    pan(dx, dy) {
      this.x -= dx / this.scale;
      this.y -= dy / this.scale;
      this.draw();
    }

    centre([a, b, c, d]) {
      this.scale = Math.max(this.scale, 0.8);
      this.x = (a + c) / 2 - this.canvas.clientWidth / this.scale / 2;
      this.y = (b + d) / 2 - this.canvas.clientHeight / this.scale / 2;
      this.draw();
    }

    get box() { return [this.x, this.y, this.x + this.canvas.clientWidth / this.scale, this.y + this.canvas.clientHeight / this.scale]; }

    draw() {
      if (!this.svg || this.drawing) return;
      this.drawing = requestAnimationFrame(() => {
        this.drawing = 0;
        const wide = this.canvas.clientWidth / this.scale, high = this.canvas.clientHeight / this.scale;
        if (!wide || !high) return; // another tab is shown
        this.x = Math.max(-wide * 0.8, Math.min(this.width - wide * 0.2, this.x)); // some of it stays in sight
        this.y = Math.max(-high * 0.8, Math.min(this.height - high * 0.2, this.y));
        this.svg.setAttribute("viewBox", `${this.x} ${this.y} ${wide} ${high}`);
        this.changed();
      });
    }

    press(event) {
      this.touches.set(event.pointerId, this.within(event));
      this.start = this.touches.size === 1 ? { at: this.within(event), moved: false } : { moved: true };
    }

    move(event) {
      const before = this.touches.get(event.pointerId);
      if (!before) return;
      const now = this.within(event);
      if (this.start.at && !this.start.moved && Math.hypot(now[0] - this.start.at[0], now[1] - this.start.at[1]) < TAP_PX) return;
      if (!this.canvas.hasPointerCapture(event.pointerId)) this.canvas.setPointerCapture(event.pointerId);
      this.start.moved = true;
      const others = [...this.touches].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      this.touches.set(event.pointerId, now);
      if (!others.length) return this.pan(now[0] - before[0], now[1] - before[1]);
      const [other] = others, middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      const far = Math.hypot(before[0] - other[0], before[1] - other[1]) || 1;
      this.zoom(Math.hypot(now[0] - other[0], now[1] - other[1]) / far, ...middle);
      this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    }

    release(event) {
      this.touches.delete(event.pointerId);
    }

    get wasDragged() { return Boolean(this.start?.moved); }

    close() { this.resized.disconnect(); }
  }

  window.bessView = View;
})();
