"""The results as a table, as Markdown, as JSON, and as plots (SVG, one line a daemon)."""

import json
import math
import os
import statistics

from .measure import CURVE, ONCE, ROWS

COLOURS = {"ccbtd": "#d1242f", "transmission": "#1a7f37", "qbittorrent": "#0969da", "aria2": "#9a6700", "rtorrent": "#8250df"}
PLOTS = ["list", "unchanged", "status", "add_cpu", "memory", "start", "idle"]
# What a daemon does not have; all other rows are measured with each.
WITHOUT = {
    "unchanged": ("aria2", "rtorrent"), "filter": ("aria2", "rtorrent"),
    **{row: ("transmission", "qbittorrent", "aria2", "rtorrent")
       for row in ("since", "batch_adds", "batch_cpu", "event", "event_p99")},
}
# Its pace of dialing a single peer: 5 torrents of 1 MiB were not there within 3 minutes.
WITHOUT |= {row: ("transmission",) for row in ("many", "many_seeder", "many_leecher")}
WITHOUT["filter_memory"] = WITHOUT["filter_restart"] = WITHOUT["filter"]


def number(value):
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    text = f"{value:,.{max(0, min(3, digits))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Report:
    def __init__(self, about, results, failures, daemons):
        self.about, self.results, self.failures, self.daemons = about, results, failures, daemons

    def cell(self, row, n, daemon):
        samples = self.results.get(row.key, {}).get(n, {}).get(daemon)
        if not samples:
            return "-" if daemon in WITHOUT.get(row.key, ()) else "?"
        middle = statistics.median(samples)
        if len(samples) == 1 or max(samples) == min(samples):
            return number(middle)
        return f"{number(middle)} ({number(min(samples))}–{number(max(samples))})"

    def ratio(self, row, n):
        """Ours against the best of the others: over 1 is better than each of them."""
        every = {key: statistics.median(values) for key, values in self.results.get(row.key, {}).get(n, {}).items()}
        ours = every.pop("ccbtd", None)
        if ours is None or not every:
            return ""
        key = (max if row.high else min)(every, key=every.get)
        over, under = (ours, every[key]) if row.high else (every[key], ours)
        if under <= 0 or over <= 0:
            return "even" if over == under else f"{number(ours)} : {number(every[key])} ({key})"
        return f"{number(over / under)} × ({key})"

    def tables(self):
        """[(title, header, rows)] of what was measured."""
        tables = []
        counts = sorted({int(n) for row in CURVE for n in self.results.get(row.key, {})})
        for n in [str(n) for n in counts] + [""]:
            rows = [row for row in (CURVE if n else ONCE) if self.results.get(row.key, {}).get(n)]
            if not rows:
                continue
            aims = n in ("10000", "")
            tables.append((
                f"With {int(n):,} torrents" if n else "Other rows",
                ["", "unit", *self.daemons, "times better than the best peer", *(["aim"] if aims else [])],
                [[row.title, row.unit, *(self.cell(row, n, key) for key in self.daemons), self.ratio(row, n),
                  *([number(row.aim) if row.aim is not None else ""] if aims else [])] for row in rows]))
        return tables

    def text(self):
        out = []
        for title, header, rows in self.tables():
            widths = [max(len(one[at]) for one in [header, *rows]) for at in range(len(header))]
            out.append(title)
            out += ["  ".join(cell.ljust(width) for cell, width in zip(one, widths)).rstrip() for one in [header, *rows]]
            out.append("")
        return "\n".join(out + self.failures)

    def markdown(self):
        about = self.about
        out = [
            "# ccbtd beside other daemons", "",
            "Written by `./dev bench`; run it again for the numbers of your machine. Each figure is the median of "
            f"{about['runs']} runs (adds: of three thirds of one fill) with the least and the greatest in brackets; "
            "the daemons take turns. CPU is the daemon's own process clock, user and system, of ended threads too. Memory is "
            "anonymous memory (RssAnon) beyond that of the same daemon without torrents.",
            "Every torrent of the first tables is one file of 16 KiB, paused, added by a request of its own with the "
            "torrent's bytes in it. uTP, DHT, LSD, PEX and encryption are off; the rest is as each make has it, but for "
            "queues, which are off, and aria2's session, saved every 10 s.",
            "`?` is a figure that could not be had in this run, `-` something that the daemon does not have.", "",
            f"- {about['date']}, {about['processors']} × {about['model']}, {about['memory_gib']} GiB, Linux {about['kernel']}; "
            f"files of all daemons on {about['files_on']}; load average {about['load_average']:.1f}",
            *([f"- {about['note']}"] if about["note"] else []),
            "- " + ", ".join(f"{key} {version}" for key, version in about["versions"].items()), ""]
        for title, header, rows in self.tables():
            out += [f"## {title}", "", "| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
            out += ["| " + " | ".join(one) + " |" for one in rows] + [""]
        out += ["## Curves", ""] + [f"![{ROWS[key].title}]({key}.svg)" for key in PLOTS if self.curve(key)] + [""]
        if self.failures:
            out += ["## What failed", ""] + [f"- {one}" for one in self.failures] + [""]
        return "\n".join(out)

    def curve(self, key):
        """{daemon: [(n, median)]}, where there are at least two numbers of torrents."""
        lines = {}
        for n, values in sorted(self.results.get(key, {}).items(), key=lambda item: int(item[0] or 0)):
            for daemon, samples in values.items():
                lines.setdefault(daemon, []).append((int(n), max(statistics.median(samples), 1e-6)))
        return lines if lines and max(map(len, lines.values())) > 1 else None

    def svg(self, key):
        row, lines = ROWS[key], self.curve(key)
        every = [point for line in lines.values() for point in line]
        across = [math.log10(n) for n, _ in every]
        up = [math.log10(value) for _, value in every]
        low, high = math.floor(min(up)), max(math.ceil(max(up)), math.floor(min(up)) + 1)

        def x(n):
            return 60 + 340 * (math.log10(n) - min(across)) / (max(across) - min(across))

        def y(value):
            return 270 - 220 * (math.log10(value) - low) / (high - low)
        out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 310" width="520" height="310" '
               'font-family="sans-serif" font-size="11"><rect width="520" height="310" fill="#fff"/>',
               f'<text x="60" y="22" font-size="14">{row.title}, {row.unit}</text>',
               '<text x="60" y="38" fill="#57606a">against the number of torrents, both logarithmic</text>']
        for power in range(low, high + 1):
            out.append(f'<path d="M60 {y(10**power):.1f}H400" stroke="#d8dee4"/>'
                       f'<text x="54" y="{y(10**power) + 4:.1f}" text-anchor="end">{10**power:,g}</text>')
        for n in sorted({n for n, _ in every}):
            out.append(f'<path d="M{x(n):.1f} 50V270" stroke="#d8dee4"/>'
                       f'<text x="{x(n):.1f}" y="288" text-anchor="middle">{n:,}</text>')
        taken = []
        for daemon, line in sorted(lines.items(), key=lambda item: y(item[1][-1][1])):
            path = "L".join(f"{x(n):.1f} {y(value):.1f}" for n, value in line)
            at = y(line[-1][1]) + 4
            while taken and at < taken[-1] + 13:
                at = taken[-1] + 13
            taken.append(at)
            out.append(f'<path d="M{path}" fill="none" stroke="{COLOURS[daemon]}" stroke-width="2"/>')
            out += [f'<circle cx="{x(n):.1f}" cy="{y(value):.1f}" r="3" fill="{COLOURS[daemon]}"/>' for n, value in line]
            out.append(f'<text x="408" y="{at:.1f}" fill="{COLOURS[daemon]}">{daemon} {number(line[-1][1])}</text>')
        return "\n".join(out) + "\n</svg>\n"

    def write(self, folder):
        os.makedirs(folder, exist_ok=True)
        files = {"results.md": self.markdown(), "results.json": json.dumps(
            {**self.about, "results": self.results, "failures": self.failures}, indent=1, ensure_ascii=False) + "\n"}
        files |= {f"{key}.svg": self.svg(key) for key in PLOTS if self.curve(key)}
        for name, text in files.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)

    def unmeasured(self, wanted, daemons):
        late = {"transmission", "qbittorrent", "aria2"} if self.about["quick"] else set()
        return [f"{row} of {key}" for row in ROWS if row in wanted for key in daemons if key not in WITHOUT.get(row, ())
                and not (key in late and row.startswith(("bulk", "many", "files")))
                and not any(key in values for values in self.results.get(row, {}).values())]
