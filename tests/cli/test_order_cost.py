"""`hydra orders --cost` and `--plot`: parts that add up, totals, and a page that stands alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from cli.orders_home import BTC, ETH, filled, parent, requoted

from hydra_ft.types import Side

if TYPE_CHECKING:
    from pathlib import Path

    from cli.orders_home import Home


def test_the_cost_is_split_into_parts_that_add_up(home: Home) -> None:
    """0.1 * 10 delay, -0.1 * 4 + 0.1 * 6 trading and 0.3 fee, of 1000."""
    home.write(*requoted())
    (order,) = home.document()["orders"]
    cost = order["cost"]
    assert cost["delay_bps"] == pytest.approx(10)
    assert cost["trading_bps"] == pytest.approx(2)
    assert cost["fee_bps"] == pytest.approx(3)
    assert cost["opportunity_bps"] == 0
    assert cost["total_bps"] == pytest.approx(15)
    assert cost["maker_share"] == pytest.approx(0.4)
    line = home.orders("--cost").splitlines()[1]
    assert re.split(r"  +", line.strip())[5:12] == [
        "15.0",
        "10.0",
        "2.0",
        "3.0",
        "0.0",
        "100%",
        "40%",
    ]


def test_nothing_paid_has_no_sign(home: Home) -> None:
    one = parent(side=Side.SHORT, arrival_price=100.0)
    home.write(one, filled(one, "1", 100.0))
    assert "-0.0" not in home.orders("--cost")
    assert "  0.0  " in home.orders("--cost")


def test_totals_are_means_medians_and_weighted_by_notional(home: Home) -> None:
    """Costs of 10, 20 and 60 bps on notionals of 1000, 1000 and 8000."""
    even = {"arrival_price": 100.0, "decision_price": 100.0}
    for key, price, quantity, pair in (
        ("a", 100.1, 10.0, BTC),
        ("b", 100.2, 10.0, BTC),
        ("c", 100.6, 80.0, ETH),
    ):
        one = parent(key, quantity=quantity, pair=pair, **even)
        home.write(one, filled(one, key, price))
    found = {(t["by"], t["name"]): t for t in home.document()["totals"]}
    assert set(found) == {
        ("all", "all"),
        ("kind", "entry"),
        ("side", "long"),
        ("pair", BTC),
        ("pair", ETH),
    }
    whole = found["all", "all"]
    assert whole["n"] == 3
    assert whole["mean_bps"] == pytest.approx(30)
    assert whole["median_bps"] == pytest.approx(20)
    assert whole["weighted_bps"] == pytest.approx(51)
    assert whole["trading_bps"] == pytest.approx(51)
    assert found["pair", BTC]["weighted_bps"] == pytest.approx(15)


def test_totals_count_all_orders_however_few_are_shown(home: Home) -> None:
    for key in "abc":
        one = parent(key)
        home.write(one, filled(one, key, 100.1))
    assert home.document("--limit", "1")["totals"][0]["n"] == 3
    assert re.search(r"^all +3 ", home.orders("--cost", "--limit", "1"), re.MULTILINE)


def test_what_cannot_be_counted_is_said(home: Home) -> None:
    home.write(parent("open", ended_at=0, end_reason=""))
    home.write(parent("unpriced", decision_price=0.0, arrival_price=0.0))
    home.write(parent("unfilled", end_reason="deadline", end_price=0.0))
    shown = home.orders("--cost")
    assert "1 still working, 1 without a known price" in shown
    assert "Ended at a price that is not known: 1; nothing missed" in shown
    assert "Decided at a price that is not known" not in shown
    home.write(parent("undecided", decision_price=0.0))
    assert "Decided at a price that is not known: 1; no delay" in home.orders("--cost")


def test_the_page_stands_alone_and_shows_every_pair(home: Home, tmp_path: Path) -> None:
    for key, pair, price in (("a", BTC, 100.3), ("b", "A&B/USDT:USDT", 99.7)):
        one = parent(key, pair=pair)
        home.write(one, filled(one, key, price, fee_quote=0.2))
    file = tmp_path / "deep" / "cost.html"
    code, out, err = home.run("--plot", str(file), "--json")
    assert (code, err) == (0, f"wrote {file}\n")
    json.loads(out)
    html = file.read_text(encoding="utf-8")
    assert "http" not in html
    assert "<script" not in html
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    for drawing in map(ET.fromstring, drawings):
        width, height = map(float, drawing.attrib["viewBox"].split()[2:])
        for box in drawing.iter("rect"):
            x, y, wide, high = (float(box.attrib[k]) for k in ("x", "y", "width", "height"))
            assert x >= 0 <= y
            assert wide >= 0 <= high
            assert x + wide <= width
            assert y + high <= height
    labels = [
        element.text
        for drawing in drawings
        for element in ET.fromstring(drawing).iter("text")  # noqa: S314, our own text
    ]
    assert len(drawings) == 2
    assert "BTC/USDT:USDT (1)" in labels
    assert "A&B/USDT:USDT (1)" in labels


def test_one_outlier_does_not_press_the_others_into_one_bar(home: Home, tmp_path: Path) -> None:
    for count in range(60):
        one = parent(f"k{count}")
        home.write(one, filled(one, "1", 200.0 if count == 7 else 100 + count / 100))
    home.run("--plot", str(tmp_path / "x.html"))
    html = (tmp_path / "x.html").read_text(encoding="utf-8")
    histogram = re.findall(r"<svg.*?</svg>", html, re.DOTALL)[0]
    counts = [int(n) for n in re.findall(r"bps: (\d+)", histogram)]
    assert sum(counts) == 60
    assert max(counts) < 10


def test_one_order_with_no_cost_at_all_can_be_drawn(home: Home, tmp_path: Path) -> None:
    one = parent(arrival_price=100.0)
    home.write(one, filled(one, "1", 100.0))
    assert home.run("--plot", str(tmp_path / "x.html"))[0] == 0
    assert "NaN" not in (tmp_path / "x.html").read_text(encoding="utf-8").replace("nan", "NaN")


def test_without_an_ended_order_no_page_is_written(home: Home, tmp_path: Path) -> None:
    home.write(parent(ended_at=0, end_reason=""))
    code, _, err = home.run("--plot", str(tmp_path / "x.html"))
    assert code == 0
    assert "no page was written" in err
    assert not (tmp_path / "x.html").exists()


def test_a_page_that_is_no_page_or_cannot_be_written_is_refused(home: Home) -> None:
    one = parent()
    home.write(one, filled(one, "1", 100.1))
    assert "expected a name ending in .html" in home.run("--plot", "x.png")[2]
    (home.folder / "file").touch()
    code, _, err = home.run("--plot", str(home.folder / "file" / "x.html"))
    assert code == 2
    assert "expected a file that can be written" in err
