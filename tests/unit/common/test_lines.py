"""Lines as Japanese is set: nothing lost, nothing too wide, no mark where it may not stand."""

from hypothesis import given
from hypothesis import strategies as st

from common.lines import NOT_FIRST, wrap


def measure(text: str) -> float:
    """Half-width ASCII, full-width everything else."""
    return sum(1 if c.isascii() else 2 for c in text)


def test_a_line_begins_with_no_closing_mark_and_ends_with_no_opening_one() -> None:
    assert wrap("発動しました。次は「解除」です。", 12, measure) == ["発動しまし", "た。次は「解", "除」です。"]
    assert wrap("あいうえ「か」", 10, measure) == ["あいうえ", "「か」"]
    assert wrap("あいうえおっか", 10, measure) == ["あいうえ", "おっか"]


def test_words_of_latin_letters_stay_whole() -> None:
    assert wrap("これはBCPplan計画", 10, measure) == ["これは", "BCPplan計", "画"]
    assert wrap("one two three", 8, measure) == ["one two", "three"]
    assert wrap("回答：https://vdi.example.jp", 24, measure) == ["回答：", "https://vdi.example.jp"]


def test_what_cannot_be_kept_whole_is_cut() -> None:
    assert wrap("abcdefghij", 4, measure) == ["abcd", "efgh", "ij"]
    assert wrap("。。。。。。", 4, measure) == ["。。", "。。", "。。"]
    assert wrap("あ", 1, measure) == ["あ"]


def test_paragraphs_and_emptiness() -> None:
    assert wrap("", 10, measure) == [""]
    assert wrap("一\n\n二", 10, measure) == ["一", "", "二"]


@given(st.text("あいっ。、「」（）ー ab1\n", max_size=60), st.integers(2, 30))
def test_nothing_but_spaces_is_lost_and_no_line_is_too_wide(text: str, width: int) -> None:
    lines = wrap(text, width, measure)
    assert "".join(lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")
    assert all(measure(line) <= width for line in lines)


@given(st.text("あいうえおか", min_size=1), st.sampled_from(sorted(NOT_FIRST)), st.integers(12, 40))
def test_a_mark_does_not_begin_a_line(text: str, mark: str, width: int) -> None:
    assert all(line[0] not in NOT_FIRST for line in wrap(text + mark + text, width, measure))
