"""How the pages look that the command line leaves behind: light and dark, no outside references."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --dim: #667085; --paper: #f6f7f9; --card: #fff;
  --line: #dfe3ea; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --paper: #10141c;
  --card: #181e29; --line: #2b3342; --bad: #f97066; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 10px; }
p.lead { color: var(--dim); margin: 0 0 20px; max-width: 75ch; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px;
  margin: 0 0 16px; }
.card h3 { margin: 0; font-size: 16px; } .shows { color: var(--dim); margin: 0 0 8px; }
audio { width: 100%; height: 36px; margin: 8px 0 2px; } svg { display: block; width: 100%; height: auto; }
.said { margin: 10px 0 0; padding: 0; list-style: none; }
.said li { display: grid; grid-template-columns: 12px 150px 1fr; gap: 10px; padding: 3px 0;
  align-items: baseline; }
.dot { width: 10px; height: 10px; border-radius: 5px; display: inline-block; }
.who { color: var(--dim); font-size: 13px; } .note { color: var(--bad); margin: 8px 0 0; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--dim); font-weight: 600; } td.bad { color: var(--bad); } .scroll { overflow-x: auto; }
text { fill: var(--dim); font: 12px system-ui, sans-serif; } .bad { color: var(--bad); }
pre { white-space: pre-wrap; margin: 6px 0 0; color: var(--dim); font-size: 13px; }
"""
