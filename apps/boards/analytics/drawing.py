"""Small pictures drawn on the server as SVG: no script, no style, and the figures stand in text beside them."""

from dataclasses import dataclass

from django.utils.translation import gettext

from apps.boards.analytics.analysis import Path
from apps.workflows.declare import Workflow

SPARK_WIDTH, SPARK_HEIGHT = 96, 24
# A page of 1440 px has so much room beside the rail; stages are narrower where there are many.
WIDEST, LEAST_STEP = 1_180, 66
NODE_WIDTH, NODE_GAP, NODE_HALF = 100, 6, 28
LINE_CHARACTERS, MOST_LINES = 15, 3
THICKEST = 22


def spark(values: list[int]) -> str:
    """The points of a line through ``values``, the latest at the right; from zero, so that heights compare."""
    if len(values) < 2:
        return ""
    most = max(values) or 1
    step = SPARK_WIDTH / (len(values) - 1)
    return " ".join(
        f"{number * step:.1f},{SPARK_HEIGHT - 2 - (SPARK_HEIGHT - 4) * value / most:.1f}" for number, value in enumerate(values)
    )


@dataclass(frozen=True, kw_only=True)
class Node:
    """A stage in the picture of paths."""

    name: str
    lines: list[str]
    x: int
    middle: float

    @property
    def first_line(self) -> int:
        """How far above or below the picture's middle the first line of text stands."""
        return 4 - 7 * (len(self.lines) - 1)


@dataclass(frozen=True, kw_only=True)
class Arc:
    """A path in the picture: forwards above the stages, backwards below them."""

    path: Path
    d: str
    width: float
    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The picture of the paths that records took."""

    nodes: list[Node]
    arcs: list[Arc]
    width: int
    height: int
    middle: int
    node_width: int


def flow(workflow: Workflow, paths: list[Path]) -> Flow:
    """The stages from left to right as work flows, and every path between two of them as an arc as thick as its count."""
    used = {path.from_stage for path in paths} | {path.to_stage for path in paths}
    order = [name for name in ["", *(stage.name for stage in workflow.stages), "left", "deleted"] if name in used]
    titles = {stage.name: gettext(stage.title) for stage in workflow.stages}
    titles |= {"": gettext("First seen"), "deleted": gettext("Deleted"), "left": gettext("Out")}
    step = max(min(NODE_WIDTH + NODE_GAP, (WIDEST - 8) // max(len(order), 1)), LEAST_STEP)
    node_width = step - NODE_GAP
    characters = LINE_CHARACTERS * node_width // NODE_WIDTH
    left = {name: 8 + number * step for number, name in enumerate(order)}
    most = max((path.count for path in paths), default=1)
    spans = [abs(order.index(path.to_stage) - order.index(path.from_stage)) for path in paths if not path.is_back]
    # A curve reaches three quarters of the way to its handles.
    middle = 24 + NODE_HALF + int(0.75 * _reach(max(spans, default=1)))
    arcs, tallest = [], 0.0
    for path in sorted(paths, key=lambda path: -path.count):
        if path.from_stage not in left or path.to_stage not in left or path.from_stage == path.to_stage:
            continue
        span = abs(order.index(path.to_stage) - order.index(path.from_stage))
        width = max(1.0, THICKEST * path.count / most)
        start, end = left[path.from_stage] + node_width / 2, left[path.to_stage] + node_width / 2
        side = 1 if path.is_back else -1
        edge, top = middle + side * NODE_HALF, middle + side * (NODE_HALF + _reach(span))
        peak = middle + side * (NODE_HALF + 0.75 * _reach(span))
        tallest = max(tallest, peak + 20)
        arcs.append(
            Arc(
                path=path,
                width=round(width, 1),
                x=(start + end) / 2,
                y=peak,
                d=f"M{start:.0f} {edge} C{start:.0f} {top} {end:.0f} {top} {end:.0f} {edge}",
            )
        )
    nodes = [
        Node(name=name, lines=_lines(titles.get(name, name), characters), x=left[name], middle=left[name] + node_width / 2)
        for name in order
    ]
    return Flow(
        nodes=nodes,
        arcs=arcs,
        width=8 + len(order) * step,
        middle=middle,
        node_width=node_width,
        height=int(max(tallest, middle + NODE_HALF + 12)),
    )


def _reach(span: int) -> int:
    """How far an arc's handles lie from its nodes, for so many stages between its ends."""
    return 26 + 21 * span


def _lines(title: str, characters: int) -> list[str]:
    """A title in at most three lines of so many characters, which fit a node."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > characters and len(lines) < MOST_LINES:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return [line if len(line) <= characters else f"{line[: characters - 1]}…" for line in lines]
