"""Pages in a headless browser: a script acts in the page, and says what it found."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.python import programs

needed = programs.needed("chromium", "Chromium")

# Runs before the page's own script.
LISTEN = """<script>
window.faults = [];
addEventListener("error", (e) => faults.push(String(e.message)));
addEventListener("securitypolicyviolation", (e) => faults.push(e.violatedDirective));
</script>"""
# Runs after it, in a block of its own. Scripts of tests are the body of `act`.
ACT = """<script>{
const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);
const later = () => new Promise((done) => setTimeout(done, 100));
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const type = (selector, text) => {
  one(selector).value = text;
  one(selector).dispatchEvent(new Event(
    one(selector).matches("select") ? "change" : "input", { bubbles: true }));
};
const click = (target) => (target instanceof Element ? target : one(target)).click();
const text = (selector) => one(selector).textContent;
const cells = (row) => [...row.children].map((cell) => cell.textContent);
const act = async () => { @ };
act()
  .catch((error) => ({ failed: String(error.stack) }))
  .then((found) => {
    const report = document.createElement("pre");
    report.id = "report";
    report.textContent = JSON.stringify({ found: found ?? null, faults });
    document.body.replaceChildren(report);
  });
}</script>"""


def run(page: str, script: str, folder: Path) -> Any:
    """Act in a page; give what the script returns. A fault in the page fails."""
    head, rest = page.split("</title>", 1)
    body, end = rest.rsplit("</body>", 1)
    path = folder / "page.html"
    act = ACT.replace("@", script)
    text = f"{head}</title>{LISTEN}{body}{act}</body>{end}"
    path.write_text(text, encoding="utf-8")
    dom = chromium(path, "--dump-dom", "--virtual-time-budget=20000")
    found = re.search(r'<pre id="report">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    report = json.loads(html.unescape(found.group(1)))
    assert not report["faults"], report["faults"]
    assert "failed" not in (report["found"] or {}), report["found"]
    return report["found"]


def chromium(path: Path, *options: str) -> str:
    """Open a file; give what the browser prints."""
    done = subprocess.run(
        [
            "chromium",
            "--headless",
            # As root there is no sandbox, and a container has little shared memory.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1280,720",
            f"--user-data-dir={path.parent / 'browser'}",
            *options,
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
