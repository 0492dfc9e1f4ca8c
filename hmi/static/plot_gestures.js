// How a chart is moved by hand: dragged and pinched, by the wheel, by keys. A short touch is told to the screen.
"use strict";
window.bessPlotGestures = (() => {
  const TOUCH_PX = 5; // what moves less was a touch
  const { LEFT } = bessPlotAxes;

  function listen(plot) {
    const { touch } = plot;
    drag(plot);
    touch.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
          pan(plot, (event.deltaX || event.deltaY) / plot.width);
        else zoom(plot, 1.0015 ** event.deltaY, plot.timeOf(plot.placeOf(event)));
      },
      { passive: false },
    );
    touch.addEventListener("dblclick", () => plot.options.onHome());
    touch.addEventListener("keydown", (event) => key(plot, event));
  }

  // One pointer moves the view, two also stretch it: what lies under their middle stays there.
  function drag(plot) {
    const pointers = new Map(),
      { touch } = plot;
    let before = null,
      pressed = 0;
    const measure = () => {
      const at = [...pointers.values()];
      return {
        middle: at.reduce((sum, x) => sum + x, 0) / at.length,
        apart: at.length > 1 ? Math.max(Math.abs(at[0] - at[1]), 20) : 0,
      };
    };
    touch.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      touch.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, plot.placeOf(event));
      before = measure();
      pressed = plot.placeOf(event);
    });
    touch.addEventListener("pointermove", (event) => {
      if (!pointers.has(event.pointerId)) return;
      pointers.set(event.pointerId, plot.placeOf(event));
      const now = measure();
      if (before && Math.abs(now.middle - before.middle) + Math.abs(now.apart - before.apart) >= 2) {
        const span = plot.view.end - plot.view.start,
          scale = now.apart && before.apart ? before.apart / now.apart : 1;
        const fixed = plot.timeOf(before.middle),
          start = fixed - ((now.middle - LEFT) / plot.width) * span * scale;
        plot.show(start, start + span * scale, true);
        before = now;
      }
    });
    const leave = (event) => {
      const isOnly = pointers.size === 1 && pointers.has(event.pointerId);
      if (event.type === "pointerup" && isOnly && Math.abs(plot.placeOf(event) - pressed) < TOUCH_PX)
        plot.options.onTouch?.(plot.placeOf(event));
      pointers.delete(event.pointerId);
      before = pointers.size ? measure() : null;
    };
    for (const kind of ["pointerup", "pointercancel"]) touch.addEventListener(kind, leave);
  }

  function key(plot, event) {
    const keys = {
      ArrowLeft: () => pan(plot, event.shiftKey ? -0.5 : -0.1),
      ArrowRight: () => pan(plot, event.shiftKey ? 0.5 : 0.1),
      PageUp: () => pan(plot, -1),
      PageDown: () => pan(plot, 1),
      Home: () => plot.options.onHome(),
      "+": () => zoom(plot, 0.7),
      "=": () => zoom(plot, 0.7),
      ArrowUp: () => zoom(plot, 0.7),
      "-": () => zoom(plot, 1.4),
      ArrowDown: () => zoom(plot, 1.4),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  function pan(plot, share) {
    const { start, end } = plot.view,
      by = share * (end - start);
    plot.show(start + by, end + by, true);
  }

  function zoom(plot, factor, around = (plot.view.start + plot.view.end) / 2) {
    const { shortest, longest } = plot.options,
      span = plot.view.end - plot.view.start;
    const wanted = Math.min(Math.max(span * factor, shortest), longest),
      start = around - ((around - plot.view.start) * wanted) / span;
    plot.show(start, start + wanted, true);
  }

  return { listen };
})();
