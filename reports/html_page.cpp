// The constant parts of the html report.
#include "reports/html.h"

namespace sipassay::reports {

// Change the style or the script, then put the hash that html_test prints here.
std::string_view page_style_hash() {
  return "sha256-JikTj4znUcb6P39T1OKNIr021EX+JRwcmhc0rECj9No=";
}
std::string_view page_script_hash() {
  return "sha256-Fvnih5fEuUhdTnoFYNQMaWdrEgG17R5GEmTDW0jYXQo=";
}

std::string_view page_style() {
  return R"css(
:root { color-scheme: light dark; --bg: #fff; --fg: #1a1c1e; --soft: #5b6168; --line: #d5d9de;
  --box: #f5f6f8; --good: #1a7f37; --bad: #c4231b; --warn: #95610b; --note: #0b62b8; }
@media (prefers-color-scheme: dark) { :root { --bg: #14171a; --fg: #e3e6e9; --soft: #9aa3ac;
  --line: #343a41; --box: #1d2125; --good: #4cc26d; --bad: #ff7068; --warn: #e0a63c;
  --note: #6cb2ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1200px; padding: 1rem; background: var(--bg); color: var(--fg);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 1.2rem 0 .4rem; }
h3 { font-size: .85rem; margin: .6rem 0 .2rem; color: var(--soft); }
a { color: var(--note); }
code, pre, .id { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .87em; }
pre { margin: 0; padding: .5rem .7rem; background: var(--box); border: 1px solid var(--line);
  border-radius: 5px; white-space: pre-wrap; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .5rem 0; }
.facts div { display: flex; gap: .4rem; } .facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.partial { color: var(--warn); font-weight: 600; }
.totals { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; position: sticky; top: 0;
  background: var(--bg); padding: .6rem 0; border-bottom: 1px solid var(--line); z-index: 1; }
.totals p { margin: 0 .4rem 0 0; } .totals label { margin-left: auto; }
.totals input { font: inherit; padding: .25rem .5rem; min-width: 16rem; color: inherit;
  background: var(--box); border: 1px solid var(--line); border-radius: 5px; }
.chip { font: inherit; padding: .2rem .7rem; border-radius: 1rem; border: 1px solid currentColor;
  background: none; color: var(--note); cursor: pointer; }
.chip[aria-pressed=false] { opacity: .4; text-decoration: line-through; }
.pass, .xfail { color: var(--good); } .fail, .crash, .xpass { color: var(--bad); }
.non-strict, .error, .flaky { color: var(--warn); }
.info, .unsupported, .not-applicable { color: var(--note); }
table { border-collapse: collapse; width: 100%; font-size: .92em; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { white-space: nowrap; } td:first-child { white-space: nowrap; }
.case { border-bottom: 1px solid var(--line); }
.case > summary { display: grid; grid-template-columns: 10rem 14rem 1fr 7rem; gap: .6rem;
  padding: .35rem .4rem; cursor: pointer; list-style: none; }
.case > summary:hover, .message > summary:hover { background: var(--box); }
.case[open] { padding: 0 .6rem 1rem; } .case[open] > summary { margin: 0 -.6rem; background: var(--box); }
.verdict { font-weight: 700; } .level { color: var(--soft); text-align: right; }
.requirement { margin: .7rem 0 .3rem; } .reason { margin: .3rem 0; font-weight: 600; }
.against { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
.against pre { color: var(--fg); } .actual.fail pre, .actual.crash pre { border-color: var(--bad); }
.ladder { overflow-x: auto; margin: .8rem 0; border: 1px solid var(--line); border-radius: 5px; }
svg text { font: 12.5px system-ui, sans-serif; fill: var(--fg); }
svg .party { text-anchor: middle; font-weight: 700; } svg .label { text-anchor: middle; }
svg .time { text-anchor: end; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .note { fill: var(--soft); }
svg line, svg .cross { stroke: var(--fg); stroke-width: 1.3; fill: none; }
svg .life { stroke: var(--line); stroke-width: 2; } svg polygon { fill: var(--fg); }
svg .hit { fill: transparent; } svg a { text-decoration: none; cursor: pointer; }
svg a:hover .hit, svg a:focus .hit, svg .chosen .hit { fill: var(--box); }
svg .noted line { stroke-dasharray: 5 4; }
svg .offending line, svg .offending .cross { stroke: var(--bad); stroke-width: 2.4; }
svg .offending polygon, svg .offending text { fill: var(--bad); } svg .offending .label { font-weight: 700; }
.message > summary { cursor: pointer; padding: .15rem .3rem; color: var(--soft); font-size: .92em; }
.message.offending > summary { color: var(--bad); font-weight: 600; }
mark { background: none; color: var(--bad); font-weight: 700; text-decoration: underline; }
.absent { color: var(--bad); margin: .3rem 0; } [hidden] { display: none; }
@media (max-width: 800px) { .case > summary { grid-template-columns: 7rem 1fr; }
  .against { grid-template-columns: 1fr; } .totals input { min-width: 8rem; } }
)css";
}

std::string_view page_script() {
  return R"js(
'use strict';
(() => {
  const cases = [...document.querySelectorAll('.case')];
  const chips = [...document.querySelectorAll('.chip')];
  const filter = document.getElementById('filter');
  const shown = document.getElementById('shown');
  const apply = () => {
    const off = new Set(chips.filter(c => c.getAttribute('aria-pressed') === 'false')
      .map(c => c.dataset.outcome));
    const words = filter.value.toLowerCase().split(/\s+/).filter(w => w);
    let count = 0;
    for (const one of cases) {
      const fits = !off.has(one.dataset.outcome) && words.every(w => one.dataset.search.includes(w));
      one.hidden = !fits;
      if (fits) ++count;
    }
    shown.textContent = count === cases.length ? '' : count + ' shown';
  };
  for (const chip of chips) chip.addEventListener('click', () => {
    chip.setAttribute('aria-pressed', chip.getAttribute('aria-pressed') === 'true' ? 'false' : 'true');
    apply();
  });
  filter.addEventListener('input', apply);

  const reveal = target => {
    for (let part = target; part; part = part.parentElement)
      if (part.tagName === 'DETAILS') { part.open = true; part.hidden = false; }
    target.scrollIntoView({block: 'nearest'});
  };
  document.addEventListener('click', event => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    const target = document.getElementById(link.getAttribute('href').slice(1));
    if (!target) return;
    event.preventDefault();
    if (target.classList.contains('message')) {
      const home = target.closest('.case');
      for (const other of home.querySelectorAll('.message[open]')) if (other !== target) other.open = false;
      for (const other of home.querySelectorAll('.chosen')) other.classList.remove('chosen');
      link.classList.add('chosen');
    }
    reveal(target);
  });
  const start = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (start) reveal(start);
})();
)js";
}

}  // namespace sipassay::reports
