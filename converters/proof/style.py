"""The report's style sheet: light and dark, narrow and wide, screen and paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1c2126; --soft: #59636e; --rule: #d5dbe1; --card: #f6f8fa;
  --good: #14602e; --good-back: #e5f5ea; --bad: #a01212; --bad-back: #fde4e4;
  --mind: #6d4c00; --mind-back: #fff3d1; --bar: #7ba7d9;
  --line0: #1f6fb4; --line1: #2a8a4a; --line2: #b8620a; --line3: #b3261e; --line4: #7a3fb0; --line5: #5c5c5c;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --ink: #e4e8ec; --soft: #9da7b1; --rule: #363e46; --card: #1c2228;
    --good: #8bdca4; --good-back: #16321f; --bad: #ffb0aa; --bad-back: #4a1717;
    --mind: #f3d27a; --mind-back: #3a2e0c; --bar: #3f6ea5;
    --line0: #6db3f2; --line1: #6fd08f; --line2: #f0a455;
    --line3: #ff8a80; --line4: #c79bf2; --line5: #b5b5b5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
body { margin: 0 auto; padding: 1.2rem 1rem 4rem; max-width: 112rem;
  background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.05rem; margin: 0 0 .6rem; color: var(--soft); font-weight: 600; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
p, ol, ul { max-width: 46rem; margin: .5rem 0; }
a { color: inherit; }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
small, .soft { color: var(--soft); font-size: .85rem; }
.verdict { padding: 1rem 1.2rem; border-radius: .6rem; border-left: .5rem solid; }
.verdict strong { display: block; font-size: 1.6rem; line-height: 1.25; margin-bottom: .3rem; }
.verdict ul, .verdict p { margin-bottom: 0; color: var(--ink); }
.verdict.within { background: var(--good-back); color: var(--good); }
.verdict.out { background: var(--bad-back); color: var(--bad); }
.verdict.refused { background: var(--mind-back); color: var(--mind); }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .9rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .8rem 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .55rem; text-align: left; vertical-align: top; }
th { font-weight: 600; }
thead th { border-bottom: 2px solid var(--rule); vertical-align: bottom; }
.plain td, .plain th { border-bottom: 1px solid var(--rule); }
.plain td { white-space: nowrap; }
.plain td.why { white-space: normal; min-width: 16rem; }
.matrix { border-collapse: separate; border-spacing: 2px; line-height: 1.3; }
.matrix th { padding: .3rem .35rem; }
.matrix thead th { font-size: .85rem; }
.matrix thead th.absent { font-weight: 400; font-size: .75rem; color: var(--soft); }
.matrix th[scope=row] { position: sticky; left: 0; z-index: 1; background: var(--page);
  min-width: 6.5rem; max-width: 11rem; }
.matrix th small, .matrix td small { display: block; font-weight: 400; line-height: 1.3; }
.matrix td { border-radius: .35rem; padding: .3rem .4rem; }
.matrix td small { color: inherit; white-space: nowrap; }
.matrix th[scope=row] small { white-space: nowrap; }
.matrix b { font-size: 1.02rem; white-space: nowrap; }
.matrix td.within { background: var(--good-back); color: var(--good); }
.matrix td.out { background: var(--bad-back); color: var(--bad); outline: 2px solid var(--bad); }
.matrix td.refused { background: var(--mind-back); color: var(--mind); }
.matrix td.absent { color: var(--soft); vertical-align: middle; text-align: center; font-size: .85rem;
  border: 1px dashed var(--soft);
  background: repeating-linear-gradient(135deg, transparent 0 9px, var(--card) 9px 18px); }
.matrix td.none { color: var(--soft); text-align: center; vertical-align: middle; }
.mark { display: block; font-weight: 700; font-size: .85rem; white-space: nowrap; }
.key span { display: inline-block; padding: 0 .5rem; margin-right: .2rem; border-radius: .3rem;
  font-weight: 600; }
.key .within { background: var(--good-back); color: var(--good); }
.key .out { background: var(--bad-back); color: var(--bad); }
.key .refused { background: var(--mind-back); color: var(--mind); }
.key .absent { border: 1px dashed var(--soft); color: var(--soft); }
.reasons li { margin: .3rem 0; } .reasons li:target { outline: 2px solid var(--bad); }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--soft); }
.formula { background: var(--card); border: 1px solid var(--rule); border-radius: .4rem; padding: .6rem 1rem;
  overflow-x: auto; font-family: ui-serif, Georgia, serif; font-size: 1.08rem; max-width: 46rem; }
.formula div { white-space: nowrap; margin: .2rem 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24.5rem), 1fr)); gap: 1rem;
  margin: .8rem 0; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: .5rem; padding: .8rem .9rem;
  min-width: 0; break-inside: avoid; }
.filled { display: flex; flex-wrap: wrap; } .filled .card { flex: 1 1 min(100%, 24.5rem); }
.filled .broad { flex-basis: min(100%, 33rem); }
.card p { margin: .2rem 0 .4rem; }
.bars { width: 100%; font-size: .78rem; }
.bars th, .bars td { padding: .1rem .22rem; vertical-align: middle; white-space: nowrap; }
.bars thead th { vertical-align: bottom; border-bottom: 1px solid var(--rule); color: var(--soft);
  white-space: normal; line-height: 1.2; }
.bars tbody th { font-weight: 400; width: 1%; }
.bars td { text-align: right; width: 1%; }
.bars td:nth-child(2) { width: auto; min-width: 3.2rem; }
.bars thead th:nth-child(n+3) { text-align: right; }
.bar { display: block; border-bottom: 1px dotted var(--rule); }
.bar i { display: block; height: .7rem; background: var(--bar); border-radius: 0 .15rem .15rem 0; }
.lines { display: block; width: 100%; font-size: 12.5px;
  min-width: calc(var(--units) / 21 * 1rem); max-width: calc(var(--units) / 14 * 1rem); }
.lines text { fill: var(--soft); } .lines .grid { stroke: var(--rule); fill: none; }
.lines .line path { fill: none; stroke: currentColor; stroke-width: 2; }
.lines .line circle { fill: currentColor; }
.lines .name { fill: currentColor; font-weight: 600; font-size: 13px; }
.line0 { color: var(--line0); } .line1 { color: var(--line1); } .line2 { color: var(--line2); }
.line3 { color: var(--line3); } .line4 { color: var(--line4); } .line5 { color: var(--line5); }
.line1 path { stroke-dasharray: 7 3; } .line2 path { stroke-dasharray: 2 3; }
.line4 path { stroke-dasharray: 10 3 2 3; } .line5 path { stroke-dasharray: 4 4; }
.right { color: var(--good); } .wrong { color: var(--bad); }
@media (max-width: 34rem) {
  body { padding: .8rem .7rem 3rem; } dl { gap: .2rem .7rem; font-size: .9rem; }
  .verdict { padding: .8rem .9rem; } .verdict strong { font-size: 1.3rem; } .card { padding: .7rem .6rem; }
}
@media screen and (max-width: 40rem) {
  .matrix, .matrix thead, .matrix tbody, .matrix tr, .matrix th { display: block; }
  .matrix thead { margin-bottom: 1rem; } .matrix thead th { border: 0; padding: .15rem 0; }
  .matrix thead th:first-child, .matrix td.none { display: none; }
  .matrix th small { display: inline; margin-left: .5rem; }
  .matrix th[scope=row] { position: static; max-width: none; margin-top: 1rem;
    border-bottom: 2px solid var(--rule); }
  .matrix td { display: grid; grid-template-columns: 27% auto 1fr; column-gap: .5rem; margin: 3px 0;
    align-items: baseline; }
  .matrix td::before { content: attr(data-runtime); grid-row: 1 / span 20; font-weight: 600;
    font-size: .85rem; align-self: start; overflow-wrap: anywhere; }
  .matrix td small { font-size: .77rem; white-space: normal; }
  .matrix td.absent { text-align: left; }
}
@media print {
  @page { size: A4 landscape; margin: 11mm; }
  html { font-size: 8.5pt; } body { padding: 0; max-width: none; }
  .wide { overflow: visible; } .lines { min-width: 0; } nav { display: none; }
  .matrix th[scope=row] { position: static; }
  .plain td { white-space: normal; } .plain th, .plain td { padding: .1rem .3rem; }
  .cards { grid-template-columns: repeat(3, 1fr); } .filled .card { flex-basis: 30%; }
  .filled .broad { flex-basis: 45%; }
  h2 { break-after: avoid; } tr, figure, .verdict { break-inside: avoid; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""
