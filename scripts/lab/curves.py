"""Growth curves as one SVG: a chart for each thing that grows, both axes logarithmic."""
import math

WIDTH, HEIGHT, LEFT, BOTTOM = 300, 210, 46, 34
COLOURS = ["#2f7fd1", "#d1642f", "#2f9e57", "#8a4fbf"]
STYLE = ("text{font:11px sans-serif;fill:#555}.t{font-weight:600}.g{stroke:#8884;stroke-width:1}"
         "@media (prefers-color-scheme:dark){text{fill:#bbb}}")


def draw(charts):
    """`charts`: what grows -> operation -> [(count, milliseconds)]."""
    values = [time for lines in charts.values() for points in lines.values() for _, time in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    parts = [chart(index, name, lines, low, high) for index, (name, lines) in enumerate(charts.items())]
    width, height = 2 * WIDTH, (len(parts) + 1) // 2 * HEIGHT
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
            f"<style>{STYLE}</style>{''.join(parts)}</svg>\n")


def chart(index, name, lines, low, high):
    left, top = index % 2 * WIDTH + LEFT, index // 2 * HEIGHT + 26
    across, down = WIDTH - LEFT - 14, HEIGHT - 26 - BOTTOM
    counts = sorted({count for points in lines.values() for count, _ in points})
    begin, end = math.log10(counts[0]), math.log10(counts[-1])

    def place(count, time):
        x = left + (math.log10(count) - begin) / (end - begin) * across
        return x, top + down - (math.log10(time) - low) / (high - low) * down
    out = [f'<text class="t" x="{left}" y="{top - 10}">{name}, ms</text>']
    for power in range(low, high + 1):
        y = place(counts[0], 10 ** power)[1]
        out.append(f'<line class="g" x1="{left}" y1="{y:.0f}" x2="{left + across}" y2="{y:.0f}"/>'
                   f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{10 ** power:g}</text>')
    for count in counts:
        out.append(f'<text x="{place(count, 1)[0]:.0f}" y="{top + down + 16}" text-anchor="middle">{short(count)}</text>')
    for number, (label, points) in enumerate(lines.items()):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points)
        colour = COLOURS[number % len(COLOURS)]
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{left + 8}" y="{top + 10 + 13 * number}" style="fill:{colour}">{label}</text>')
    return "".join(out)


def short(count):
    return f"{count // 1_000_000}M" if count >= 1_000_000 else f"{count // 1000}k" if count >= 1000 else str(count)
