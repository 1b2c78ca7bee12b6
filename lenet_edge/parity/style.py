"""The style of what is LeNet-5's own in the report: digits and confusion matrices."""

DIGIT_STYLE = """
.digit { flex: none; width: 84px; height: 84px; image-rendering: pixelated;
  border: 1px solid var(--rule); background: #fff; }
.divided { display: flex; gap: .8rem; }
.divided ul { list-style: none; padding: 0; margin: 0; min-width: 0; font-size: .88rem; line-height: 1.35; }
.divided li { margin-bottom: .45rem; overflow-wrap: anywhere; }
.divided b { font-size: 1.05rem; }
.confusion { font-size: .85rem; text-align: center; }
.confusion th, .confusion td { padding: 0; width: 2.15rem; min-width: 1.7rem; height: 1.75rem;
  text-align: center; vertical-align: middle; border: 1px solid var(--rule); }
.confusion thead th { border-bottom-width: 1px; }
.confusion .same { color: var(--soft); font-size: .72rem; }
.confusion .few, .confusion .many { background: var(--bad-back); color: var(--bad); font-weight: 700; }
.confusion .many { background: var(--bad); color: var(--page); }
.sheet { display: flex; flex-wrap: wrap; gap: .4rem; margin-top: .5rem; }
.sheet figure { margin: 0; width: 58px; font-size: .75rem; line-height: 1.2; text-align: center;
  white-space: nowrap; }
.sheet .soft { font-size: .7rem; }
.sheet .digit { width: 56px; height: 56px; }
"""
