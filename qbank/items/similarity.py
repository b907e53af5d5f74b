"""Near-duplicate texts: which are alike, how much, and what they differ in. Pure.

The score is rapidfuzz's ``fuzz.ratio`` on comparable writing, as a share: 2 LCS / (len a + len b). rapidfuzz scores 500 texts
against 50,000 in seconds, so a batch is scored pair by pair and loses nothing. For all pairs inside a bank candidates come
from a sparse matrix of character bigrams, unless its texts are so much of one pattern that scoring is quicker. No pair is
lost there either: if the score is at least t, an indel distance of (1 - t) S, S = len a + len b, breaks on the average of
both sides at most 3/2 bigrams for each edit, so the Dice share of their bigrams is at least 3 t - 2. (MinHash LSH of
datasketch is slower and loses pairs: ``tests/benchmarks/bank.py``.)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein
from scipy import sparse

from qbank.items.writing import half_width

ALIKE = 0.8  # from this score on two stems are shown side by side
CELLS = 8_000_000  # of a matrix of scores, or a product of matrices, held in memory at a time
WORTH = 4  # scoring one pair costs as much as so many multiplications of the sparse product
EDGES = "\x02{}\x03"  # so that texts of one character have bigrams, and beginnings and ends count
# Between digits a full stop is a decimal point; signs and units are kept: 1.5 and 15, 220 V and -220 V are not the same.
PUNCTUATION = re.compile(r"(?<!\d)\.|\.(?!\d)|[\s,;:!?\"'“”‘’。，、；：？！…—_()\[\]{}（）【】〔〕《》〈〉「」*|#$\\]")
NUMBER = re.compile(r"(?<![\d.])[-+]?\d+(?:\.\d+)?(?:[%‰°℃ΩΩμµ²³]|[A-Za-z])*")
NOT_NEGATIVE = re.compile(r"不仅|不但|不断|不同|不锈钢|不间断|非常|无论|无功|无线|无刷|未来|绝对|相对|误差")
POLARITY = re.compile(r"不正确|不属于|不允许|不应该|没有|错误|正确|属于|必须|严禁|禁止|允许|可以|不应|不能|不得|不可|不是|不会|不宜|"
                      r"不|非|未|无|勿")
OPPOSITES = (("增大", "减小"), ("增加", "减少"), ("升高", "降低"), ("上升", "下降"), ("最大", "最小"), ("最高", "最低"),
             ("大于", "小于"), ("高于", "低于"), ("串联", "并联"), ("直流", "交流"), ("常开", "常闭"), ("输入", "输出"),
             ("优点", "缺点"), ("提前", "滞后"), ("顺时针", "逆时针"), ("断开", "闭合"))

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """Text ``i`` of a batch is like the text ``key`` of the bank; ``score`` from 0 to 1 (the same writing)."""

    i: int
    key: int
    score: float


@dataclass(frozen=True)
class Piece:
    """A stretch of one of two texts laid side by side; ``same``: it stands in both."""

    text: str
    same: bool


def comparable(text: str) -> str:
    """Text as it is compared: half-width, without space and punctuation; numbers, signs, units and letter case stay."""
    return PUNCTUATION.sub("", half_width(text))


class Index:
    """Texts of a bank, ready to be searched; ``keys`` name them (their positions where none are given)."""

    def __init__(self, texts: Sequence[str], keys: Sequence[int] | None = None) -> None:
        self.texts = [comparable(text) for text in texts]
        self.keys = list(range(len(self.texts))) if keys is None else list(keys)
        if len(self.keys) != len(self.texts):
            raise ValueError(f"{len(self.texts)} texts need as many keys, not {len(self.keys)}")

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def lengths(self) -> Integers:
        return _lengths(self.texts)

    @cached_property
    def vocabulary(self) -> Integers:
        """All bigrams of the texts, in order."""
        return np.unique(_bigrams(self.texts)[1])

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """How often each bigram occurs, shape (texts, vocabulary)."""
        return _counts(self.texts, self.vocabulary)

    @cached_property
    def occurrences(self) -> npt.NDArray[np.float64]:
        """In how many texts each bigram occurs."""
        return np.bincount(self.matrix.indices, minlength=len(self.vocabulary)).astype(np.float64)

    @cached_property
    def transposed(self) -> sparse.csr_array:
        return sparse.csr_array(self.matrix.T)


def similar(texts: Sequence[str], bank: Index, threshold: float = ALIKE) -> list[Match]:
    """Every pair of one of ``texts`` and one of ``bank`` with a score of at least ``threshold``, the most alike first."""
    found = _all_scored([comparable(text) for text in texts], bank.texts, threshold)
    matches = [Match(i, bank.keys[j], score) for i, j, score in found]
    return sorted(matches, key=lambda match: (match.i, -match.score, match.key))


def pairs_within(bank: Index, start: int, stop: int, threshold: float = ALIKE) -> list[tuple[int, int, float]]:
    """(key, key, score) of every pair inside ``bank`` whose first text stands at ``start`` up to ``stop``."""
    wanted, rest = bank.texts[start:stop], bank.texts[start + 1:]
    products = float(bank.matrix[start:stop].sum(axis=0) @ bank.occurrences) if rest else 0.0
    if products > WORTH * len(wanted) * len(rest):  # crowded: most texts share bigrams with most others
        found = [(i, j + start + 1, score) for i, j, score in _all_scored(wanted, rest, threshold)]
    else:
        found = list(_by_bigrams(wanted, bank, threshold, start))
    return [(bank.keys[i + start], bank.keys[j], score) for i, j, score in found if j > i + start]


def contrasts(one: str, other: str) -> list[str]:
    """What two alike texts differ in so that they do not ask the same: numbers, negation, opposites. A sentence each."""
    left, right = comparable(one), comparable(other)
    if left == right:
        return ["文字相同（只有标点、空格或全半角不同）。"]
    found = []
    if told := _counted_apart(NUMBER.findall(left), NUMBER.findall(right)):
        only = "只有" if NUMBER.sub("0", left) == NUMBER.sub("0", right) else ""
        found.append(f"两题{only}数值不同：{told}。")
    denials = [POLARITY.findall(NOT_NEGATIVE.sub("", text)) for text in (left, right)]
    if told := _counted_apart(*denials):
        only = "只有" if POLARITY.sub("", left) == POLARITY.sub("", right) else ""
        found.append(f"两题{only}肯定与否定不同：{told}。")
    for pair in OPPOSITES:
        if _differs(left, right, *pair):
            found.append(f"两题用了相反的词：{pair[0]}、{pair[1]}。")
    return found


def side_by_side(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in stretches that are the same and stretches that differ; a single equal character does not interrupt."""
    left: list[Piece] = []
    right: list[Piece] = []
    steps = list(Levenshtein.opcodes(one, other))
    for place, step in enumerate(steps):
        alone = step.src_end - step.src_start == 1 and 0 < place < len(steps) - 1
        same = step.tag == "equal" and not alone
        _extend(left, one[step.src_start:step.src_end], same)
        _extend(right, other[step.dest_start:step.dest_end], same)
    return left, right


def _extend(pieces: list[Piece], text: str, same: bool) -> None:
    if not text:
        return
    if pieces and pieces[-1].same == same:
        pieces[-1] = Piece(pieces[-1].text + text, same)
    else:
        pieces.append(Piece(text, same))


def _counted_apart(left: Sequence[str], right: Sequence[str]) -> str:
    """``220V ↔ 380V``: what only one of the two holds; empty when both hold the same."""
    here, there = Counter(left), Counter(right)
    if here == there:
        return ""
    sides = ["、".join(dict.fromkeys((one - two).elements())) or "无" for one, two in ((here, there), (there, here))]
    return " ↔ ".join(sides)


def _differs(left: str, right: str, word: str, opposite: str) -> bool:
    gained = left.count(word) - right.count(word), left.count(opposite) - right.count(opposite)
    return gained[0] * gained[1] < 0


def _all_scored(wanted: Sequence[str], texts: Sequence[str], threshold: float) -> Iterator[tuple[int, int, float]]:
    """(position, position, score), every pair scored, on all processors."""
    if not texts:
        return
    step = max(1, CELLS // len(texts))
    for start in range(0, len(wanted), step):
        scores = process.cdist(wanted[start:start + step], texts, scorer=fuzz.ratio, score_cutoff=100 * threshold,
                               dtype=np.float32, workers=-1)
        rows, columns = np.nonzero(scores)
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
            yield start + i, j, float(scores[i, j]) / 100


def _by_bigrams(wanted: Sequence[str], bank: Index, threshold: float, first: int) -> Iterator[tuple[int, int, float]]:
    """(position, position in the bank, score) of ``wanted``, which stand in the bank from ``first`` on, and texts behind."""
    counts, sizes = bank.matrix[first:first + len(wanted)], _lengths(wanted)
    least = max(3 * threshold - 2, 0.05)
    step = max(1, CELLS // max(1, len(bank)))
    for start in range(0, len(wanted), step):
        product = counts[start:start + step] @ bank.transposed
        rows = np.repeat(np.arange(start, min(start + step, len(wanted))), np.diff(product.indptr))
        columns = product.indices.astype(np.int64)
        keep = (2 * product.data >= least * (sizes[rows] + bank.lengths[columns] + 2)) & (columns > rows + first)
        yield from _scored(wanted, bank.texts, rows[keep], columns[keep], threshold)


def _scored(wanted: Sequence[str], texts: Sequence[str], rows: Integers, columns: Integers,
            threshold: float) -> Iterator[tuple[int, int, float]]:
    if not len(rows):
        return
    scores = process.cpdist([wanted[i] for i in rows], [texts[j] for j in columns], scorer=fuzz.ratio,
                            score_cutoff=100 * threshold, dtype=np.float32, workers=-1)
    for place in np.flatnonzero(scores):
        yield int(rows[place]), int(columns[place]), float(scores[place]) / 100


def _lengths(texts: Sequence[str]) -> Integers:
    return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


def _bigrams(texts: Sequence[str]) -> tuple[Integers, Integers]:
    """(text, bigram) of every place in every text."""
    edged = [EDGES.format(text) for text in texts]
    codes = np.frombuffer("".join(edged).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
    lengths = _lengths(edged)
    rows = np.repeat(np.arange(len(edged)), lengths)
    within = np.ones(max(len(codes) - 1, 0), dtype=bool)
    within[np.cumsum(lengths)[:-1] - 1] = False  # from the last character of one text to the first of the next
    return rows[:-1][within], (codes[:-1] * 0x110000 + codes[1:])[within]


def _counts(texts: Sequence[str], vocabulary: Integers) -> sparse.csr_array:
    """How often each bigram of ``vocabulary`` occurs in each text; others are left out."""
    rows, grams = _bigrams(texts)
    places = np.minimum(np.searchsorted(vocabulary, grams), len(vocabulary) - 1)
    known = vocabulary[places] == grams
    ones = np.ones(int(known.sum()), dtype=np.float32)
    return sparse.csr_array((ones, (rows[known], places[known])), shape=(len(texts), len(vocabulary)))
