"""GET /docs in a browser: docs_page_test.py URL FOLDER [SCREENSHOT-FOLDER]. Run by docs_page_test.sh."""

import asyncio
import base64
import json
import pathlib
import sys
import urllib.request

import aiohttp

wrong = []


def check(what, holds, seen=None):
    print(f"{'ok    ' if holds else 'WRONG '} {what}{'' if holds else f': {seen!r}'}")
    if not holds:
        wrong.append(what)


class Page:
    """A tab, by Chrome's DevTools protocol."""

    def __init__(self, socket):
        self.socket, self.last, self.events = socket, 0, []

    async def ask(self, method, **params):
        self.last += 1
        await self.socket.send_json({"id": self.last, "method": method, "params": params})
        while True:
            said = json.loads((await self.socket.receive(30)).data)
            if said.get("id") == self.last:
                assert "error" not in said, said
                return said["result"]
            self.events.append(said)

    async def js(self, expression):
        said = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def open(self, url):
        await self.ask("Page.navigate", url=url)
        for _ in range(300):
            there = f"location.href === {json.dumps(url)}"
            if await self.js(there + " && document.documentElement?.dataset.ready === 'true'"):
                return
            await asyncio.sleep(0.1)
        check(f"{url} is ready in 30 s", False, await self.js("document.body && document.body.innerText.slice(0, 300)"))

    async def picture(self, folder, name, width=1280, height=1000):
        if folder:
            await self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                           mobile=False)
            said = await self.ask("Page.captureScreenshot", format="png")
            pathlib.Path(folder, name + ".png").write_bytes(base64.b64decode(said["data"]))


async def look(page, url, folder):
    api = json.load(urllib.request.urlopen(url + "/openapi.json", timeout=10))
    operations = [o for item in api["paths"].values() for o in item.values()]
    for name in ("Page", "Network", "Log", "Runtime"):
        await page.ask(name + ".enable")
    for at in ("/api/v1/docs", "/docs"):
        await page.open(url + at)
        for what, selector, count in (("operation", "article[id^=op-]", len(operations)),
                                      ("schema", "article[id^=schema-]", len(api["components"]["schemas"])),
                                      ("event", "article[id^=event-]", len(api["webhooks"]))):
            seen = await page.js(f"document.querySelectorAll('{selector}').length")
            check(f"{at} shows every {what}", seen == count, (seen, count))
    ids = await page.js("[...document.querySelectorAll('[id]')].map((x) => x.id)")
    check("no id stands twice", len(ids) == len(set(ids)), [x for x in ids if ids.count(x) > 1][:5])
    check("every link within the page leads somewhere", await page.js(
        "[...document.querySelectorAll('a[href^=\"#\"]')].every((a) => document.getElementById(a.hash.slice(1)))"))
    await page.picture(folder, "top")

    async def search(words):
        await page.js(f"(() => {{ const w = document.getElementById('words'); w.value = {json.dumps(words)};"
                      "w.dispatchEvent(new Event('input')); })()")
        shown = "[...document.querySelectorAll('article[id]')].filter((x) => x.offsetParent)"
        return await page.js(shown + ".map((x) => x.id)")

    seen = await search("blacklist ip delete")
    check("a search finds an operation", "op-security_remove_from_blacklist" in seen, seen)
    check("and not the others", "op-session_status" not in seen, seen)
    check("the number is told", (await page.js("document.getElementById('found').textContent")).endswith(" found"))
    await page.picture(folder, "search")
    check("what is not there is not found", await search("zyzzyva") == [] and
          await page.js("!document.getElementById('none').hidden"))
    seen = await search("")
    check("without words all is there", len([x for x in seen if x.startswith("op-")]) == len(operations), len(seen))
    check("the theme changes", await page.js(
        "(() => { document.getElementById('theme').click(); document.getElementById('theme').click();"
        "return document.documentElement.dataset.theme; })()") == "dark")
    await page.js("document.getElementById('op-torrents_add').scrollIntoView()")
    await page.picture(folder, "dark")
    await page.js("document.getElementById('theme').click(); document.getElementById('errors').scrollIntoView()")
    await page.picture(folder, "errors")
    await page.js("document.getElementById('op-torrents_set_rate_limits').scrollIntoView()")
    await page.picture(folder, "operation")
    await page.picture(folder, "narrow", 480)

    asked = {e["params"]["request"]["url"] for e in page.events if e.get("method") == "Network.requestWillBeSent"}
    check("nobody else is asked", all(x.startswith(url) for x in asked), asked)
    told = [e["params"] for e in page.events if e.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")]
    check("the console is silent", not [x for x in told if "favicon" not in json.dumps(x)], told[:3])
    with urllib.request.urlopen(url + "/docs", timeout=10) as answer:
        policy = answer.headers["Content-Security-Policy"]
    check("its policy lets nothing else in", policy is not None and policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"), policy)


async def main(url, work, folder):
    browser = await asyncio.create_subprocess_exec(
        "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
        f"--user-data-dir={work}/profile", "about:blank", stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL)
    try:
        told = pathlib.Path(work, "profile", "DevToolsActivePort")
        for _ in range(300):
            if told.exists() and told.read_text().count("\n") >= 1:
                break
            await asyncio.sleep(0.1)
        port = told.read_text().split("\n")[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = json.loads(await answer.text())
            tab = next(t for t in tabs if t["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                await look(Page(socket), url, folder)
    finally:
        browser.terminate()
        await browser.wait()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None))
print(f"{len(wrong)} wrong" if wrong else "the page is right")
sys.exit(1 if wrong else 0)
