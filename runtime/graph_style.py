"""The look of a drawing: one style sheet for light and dark. It must not know what is drawn."""

from __future__ import annotations

LIGHT = (
    "--paper:#ffffff;--ink:#1f2328;--dim:#6e7781;--line:#57606a;--body:#f6f8fa;--edge:#8c959f;--tag:#0550ae;--tagfill:#e8f3ff;"
    "--tagedge:#9ac7f5;--value:#6f42c1;--mark:#7a4f00;--markfill:#fff8e5;--on:#1a7f37;--onfill:#dcf5e3;--bad:#cf222e;"
    "--badfill:#ffebe9;--warn:#9a6700;--warnfill:#fff3c4;--forced:#bf3989;--forcedfill:#ffeff7"
)
DARK = (
    "--paper:#0d1117;--ink:#e6edf3;--dim:#8b949e;--line:#8b949e;--body:#161b22;--edge:#6e7681;--tag:#79c0ff;--tagfill:#0f2740;"
    "--tagedge:#1f4f7f;--value:#d2a8ff;--mark:#e3b341;--markfill:#2b2211;--on:#3fb950;--onfill:#10301a;--bad:#ff7b72;"
    "--badfill:#3d1214;--warn:#d29922;--warnfill:#33270a;--forced:#f778ba;--forcedfill:#3a1529"
)
RULES = """
text{font:11px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:var(--ink)}
.paper{fill:var(--paper)}
.head{font-size:18px;font-weight:700}
.sub{fill:var(--dim)}
.body{fill:var(--body);stroke:var(--edge)}
.behind{fill:var(--paper);stroke:var(--edge)}
.operator .body{rx:6}
.copy .body{fill:none;stroke:none}
.name,.type,.symbol{text-anchor:middle}
.name{font-weight:700}
.times{font-weight:400;fill:var(--dim)}
.type,.rest{fill:var(--dim);font-size:10px}
.rest{font-size:9px}
.order{font-size:8px;fill:var(--dim);text-anchor:end}
.end{text-anchor:end}
.unread text{fill:var(--dim)}
.port{fill:var(--edge)}
.wire{fill:none;stroke:var(--line);stroke-width:1;shape-rendering:crispEdges}
.wire:hover{stroke-width:3}
.copy .port{fill:none}
.arrow{fill:none;stroke:var(--line);stroke-width:1.2}
.dot{fill:var(--line)}
.not{fill:var(--paper);stroke:var(--line);stroke-width:1.2}
.chip rect{fill:var(--tagfill);stroke:var(--tagedge)}
.chip .label{fill:var(--tag)}
.chip.value .label{fill:var(--value)}
.chip.mark rect{fill:var(--markfill);stroke:var(--mark);stroke-dasharray:3 2}
.chip.mark .label{fill:var(--mark)}
.label.value{font-weight:700}
.live{font-size:9px;fill:var(--dim)}
.wire.on{stroke:var(--on);stroke-width:2}
.dot.on,.live.on{fill:var(--on)}
.chip.on rect{fill:var(--onfill);stroke:var(--on)}
.chip.on .label{fill:var(--on)}
.wire.bad{stroke:var(--bad);stroke-dasharray:4 2}
.chip.bad rect{fill:var(--badfill);stroke:var(--bad)}
.chip.bad .label{fill:var(--bad)}
.wire.uncertain{stroke:var(--warn);stroke-dasharray:4 2}
.chip.uncertain rect{fill:var(--warnfill);stroke:var(--warn)}
.chip.uncertain .label{fill:var(--warn)}
.chip.forced rect{fill:var(--forcedfill);stroke:var(--forced);stroke-width:1.6}
.chip.forced .label{fill:var(--forced)}
.cell{fill:none;stroke:var(--edge);stroke-width:.7}
.heads{fill:var(--body);stroke:var(--edge);stroke-width:.7}
.caption{font-weight:700}
.headtext{fill:var(--dim)}
.step{fill:var(--body);stroke:var(--edge)}
.first{fill:none;stroke:var(--edge)}
.spine,.bar{fill:none;stroke:var(--line);stroke-width:1.2}
.bar{stroke-width:2}
.lit.cell,.lit.step{fill:var(--onfill);stroke:var(--on)}
text.lit{fill:var(--on);font-weight:700}
.alarm.lit{fill:var(--badfill);stroke:var(--bad)}
.target{fill:var(--tag)}
"""
STYLE = f"svg{{{LIGHT}}}@media(prefers-color-scheme:dark){{svg{{{DARK}}}}}{RULES}"
