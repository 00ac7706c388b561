"""What one request costs over a large newsroom and over a small one, asked in turn."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from statistics import median

from bench import cpu, folders, prose
from bench.archive import Part, Sizes
from bench.archive.newsroom import Newsroom, open_newsroom
from bench.errors import BenchError
from bench.figures import Figure, figure
from bench.http import Answer
from bench.report import Table
from bench.urgent import urgent

WARM_UP = 5
ITEMS = "/v1/feeds/bench/items"
FIRST_PAGE = "first page, not kept"
RARE, COMMONEST = "search of a rare word", "search of the commonest word"


def _post(newsroom: Newsroom) -> Callable[[], Answer]:
    return partial(newsroom.post, newsroom.words())


def _first_page(newsroom: Newsroom) -> Callable[[], Answer]:
    return partial(newsroom.ask, ITEMS)


def _item(newsroom: Newsroom) -> Callable[[], Answer]:
    return partial(newsroom.ask, f"{ITEMS}/{newsroom.any_item()}")


def _history(newsroom: Newsroom) -> Callable[[], Answer]:
    return partial(newsroom.ask, f"{ITEMS}/{newsroom.any_item()}/history")


def _rare(newsroom: Newsroom) -> Callable[[], Answer]:
    number = newsroom.chance.randrange(newsroom.items // prose.RARE_EVERY) * prose.RARE_EVERY
    # A last word is found by its first four letters, which the rare ones here share: the first of
    # the two is a whole word.
    word = prose.rare_word(number)
    return partial(newsroom.ask, f"{ITEMS}?q={word}%20{word}")


def _commonest(newsroom: Newsroom) -> Callable[[], Answer]:
    return partial(newsroom.ask, f"{ITEMS}?q={prose.COMMONEST}")


# Each makes ready what is asked after a post, so that no answer is one that was kept.
QUESTIONS: dict[str, Callable[[Newsroom], Callable[[], Answer]]] = {
    "post": _post,
    FIRST_PAGE: _first_page,
    "one item": _item,
    "history": _history,
    RARE: _rare,
    COMMONEST: _commonest,
}
FOUND = {FIRST_PAGE: 50, RARE: 1, COMMONEST: 50}  # items in the answer


@dataclass(slots=True)
class Costs:
    """Of one question to one newsroom, round by round: seconds, and ms of CPU."""

    took: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def over(large: Costs, small: Costs) -> tuple[Figure, Figure]:
    """The medians of the rounds' ratios: of the time and of the CPU."""
    pairs = ((large.took, small.took), (large.cpu, small.cpu))
    times, work = (
        figure([one / other for one, other in zip(*pair, strict=True)]) for pair in pairs
    )
    return times, work


def measure(sizes: Sizes) -> Part:
    made = [folders.archive(count) for count in (sizes.items, sizes.few)]
    with (
        open_newsroom(made[0], sizes.items) as large,
        open_newsroom(made[1], sizes.few) as small,
        urgent(),
    ):
        costs = _ask((large, small), sizes.rounds)
    of_large, of_small = costs
    columns = [f"{sizes.items:,} items over {sizes.few:,}"]
    columns += ["ms", "ms of the small", "ratio", "ms CPU", "of the small", "ratio of CPU"]
    rows, figures = [], dict[str, object]()
    for question in QUESTIONS:
        ratios = over(of_large[question], of_small[question])
        rows.append(_row(question, of_large[question], of_small[question], ratios))
        figures[question] = {"time": asdict(ratios[0]), "cpu": asdict(ratios[1])}
    tables = [Table("What a request costs as the archive grows", columns, rows)]
    rows = []
    columns = [f"{sizes.items:,} items", *columns[1:]]
    columns = [name.replace("small", "page") for name in columns]
    page = of_large[FIRST_PAGE]
    for question in (RARE, COMMONEST):
        ratios = over(of_large[question], page)
        rows.append(_row(question, of_large[question], page, ratios))
        figures[f"{question} over the page"] = {
            "time": asdict(ratios[0]),
            "cpu": asdict(ratios[1]),
        }
    tables.append(Table("Searches over the first page that is not kept", columns, rows))
    return Part(tables, figures)


def _ask(newsrooms: tuple[Newsroom, ...], rounds: int) -> list[dict[str, Costs]]:
    costs = [{question: Costs() for question in QUESTIONS} for _ in newsrooms]
    for number in range(WARM_UP + rounds):
        for question, ask in QUESTIONS.items():
            order = list(zip(newsrooms, costs, strict=True))
            for newsroom, of in order if number % 2 else reversed(order):
                newsroom.post(newsroom.words())
                act = ask(newsroom)
                before = cpu.settled(newsroom.server.pids)
                began = time.monotonic()
                answer = act()
                took = time.monotonic() - began
                spent = cpu.settled(newsroom.server.pids) - before
                _check(question, answer)
                if number >= WARM_UP:
                    of[question].took.append(took)
                    of[question].cpu.append(spent.total / 1e6)
    return costs


def _check(question: str, answer: Answer) -> None:
    expected = FOUND.get(question)
    found = len(json.loads(answer.body)["items"]) if expected else None
    if found != expected:
        raise BenchError(f"The {question} has {found} items, not {expected}.")


def _row(question: str, one: Costs, other: Costs, ratios: tuple[Figure, Figure]) -> list[str]:
    cells = [question]
    for mine, its, ratio in (
        ([1e3 * took for took in one.took], [1e3 * took for took in other.took], ratios[0]),
        (one.cpu, other.cpu, ratios[1]),
    ):
        cells += [f"{median(mine):.2f}", f"{median(its):.2f}", str(ratio)]
    return cells
