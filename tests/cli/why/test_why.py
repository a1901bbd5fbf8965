"""`hydra why`: what a bot decided, in plain words."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cli.why.decided import BAR, BTC, ETH, NOW, RULES, choppy, entry

from hydra_ft.cli.why.moments import shown

if TYPE_CHECKING:
    from pathlib import Path

    from cli.why.decided import Desk


def test_the_newest_decision_is_told_with_its_number_and_threshold(desk: Desk) -> None:
    store = desk.store()
    store.note_rules(NOW - 9 * BAR, RULES)
    store.record([entry(3), choppy(2, 3)])
    lines = desk.why(BTC).splitlines()
    assert lines[0] == (
        f"{BTC}, bar closed {shown(NOW - 2 * BAR)} UTC, and 2 like it until {shown(NOW)} "
        "(numbers: the first)"
    )
    assert [line.strip().partition(" ")[0] for line in lines[1:]] == ["decision", "also", "market"]
    assert "no entry: the market is choppy: chop score 0.82, nothing trades above 0.70" in lines[1]
    assert "no permitted signal fires" in lines[2]
    assert "the market is choppy; bias neutral" in lines[3]


def test_a_bar_that_may_trade_is_told_with_its_candidate_and_what_became_of_it(desk: Desk) -> None:
    store = desk.store()
    store.record([entry(1), entry(0)])
    became = [
        (BTC, NOW - BAR, "spread", ("spread", "slippage"), "9.1 bps, at most 5"),
        (BTC, NOW, "filled", (), "at 100.2"),
    ]
    store.note_outcomes(became)
    told = desk.why(BTC, "--at", shown(NOW - BAR))
    assert "trend_pullback long may enter, but the spread is too wide (9.1 bps, at most 5)" in told
    assert "the expected slippage is too high" in told
    assert "confidence 0.74, stop 1.2 %, target 2.4 %, reward to risk 1.77 after costs" in told
    assert "shorts are crowded (funding z -1.6), which is bullish" in told
    assert "may enter, and the entry was filled (at 100.2)" in desk.why(BTC)


def test_what_was_left_out_of_a_bar_that_may_trade_is_no_second_reason(desk: Desk) -> None:
    codes = ("regime_not_allowed:range_fade", "regime_not_allowed:sma_cross", "outranked")
    desk.store().record([entry(0, codes=codes)])
    told = " ".join(desk.why(BTC).split())
    assert "left out another signal is more confident" in told
    assert "not traded in regime UP: range_fade, sma_cross" in told
    assert " also " not in told


def test_signals_that_the_regime_forbids_are_one_reason(desk: Desk) -> None:
    codes = ("regime_not_allowed:range_fade", "regime_not_allowed:sma_cross", "no_signal")
    desk.store().record([choppy(0, regime="DOWN", code=codes[0], codes=codes)])
    told = desk.why(BTC)
    assert "no entry: not traded in regime DOWN: range_fade, sma_cross" in told
    assert told.count("not traded") == 1


def test_an_entry_that_nobody_has_asked_about_says_so(desk: Desk) -> None:
    desk.store().record([entry(0)])
    assert "may enter, freqtrade has not asked for the entry" in desk.why(BTC)


def test_a_time_between_two_bars_has_the_decision_of_the_earlier_one(desk: Desk) -> None:
    desk.store().record([choppy(3), entry(1)])
    at = shown(NOW - BAR + 120_000)
    assert "trend_pullback long may enter" in desk.why(BTC, "--at", at)
    assert "the market is choppy" in desk.why(BTC, "--at", shown(NOW - 3 * BAR))
    assert "Nothing was decided on" in desk.why(BTC, "--at", "2020-01-01")


def test_the_thresholds_are_those_of_their_time(desk: Desk) -> None:
    store = desk.store()
    store.note_rules(NOW - 5 * BAR, '{"regime.chop_above": 0.6}')
    store.note_rules(NOW - BAR, '{"regime.chop_above": 0.8}')
    store.record([choppy(4), choppy(0)])
    assert "nothing trades above 0.60" in desk.why(BTC, "--at", shown(NOW - 4 * BAR))
    assert "nothing trades above 0.80" in desk.why(BTC, "--at", "now")


def test_an_old_decision_is_told_with_its_age(desk: Desk) -> None:
    desk.store().record([choppy(36)])
    assert desk.why(BTC).startswith("No bar was decided on for 3 h before")
    assert "is the bot running?" in desk.why(BTC)
    assert "No bar was" not in desk.why(BTC, "--at", shown(NOW - 35 * BAR))


def test_the_last_hours_are_a_line_a_row_the_newest_last(desk: Desk) -> None:
    desk.store().record([choppy(60, 30), entry(9), choppy(8, 9), choppy(3, pair=ETH)])
    desk.store().note_outcomes([(BTC, NOW - 9 * BAR, "no_slot", ("no_slot",), "")])
    lines = desk.why(BTC, "--last", "1h").splitlines()
    assert [line.split()[4] for line in lines[1:]] == ["1", "9"]
    assert "ok, no_slot" in lines[1]
    assert "trend_pullback long may enter, but all trade slots are taken" in lines[1]
    assert "no entry: the market is choppy" in lines[2]
    assert "use a longer --last" in desk.why(ETH, "--last", "10m")


def test_neighbours_of_which_the_same_is_said_are_one_line(desk: Desk) -> None:
    rows = [entry(5), entry(4), entry(3), choppy(2), choppy(1, 2, bias="LONG")]
    desk.store().record([*rows, entry(6, outcome="spread")])
    lines = desk.why(BTC, "--last", "1h").splitlines()
    found = [(line.split()[1], line.split()[3], line.split()[4]) for line in lines[1:]]
    assert found == [("11:30", "11:30", "1"), ("11:35", "11:45", "3"), ("11:50", "12:00", "3")]
    assert len(json.loads(desk.why(BTC, "--last", "1h", "--json"))["decisions"]) == 6


def test_the_summary_adds_up_from_evaluations_to_fills(desk: Desk) -> None:
    store = desk.store()
    store.record([choppy(60, 50), entry(9), entry(8), entry(7), choppy(6, 7, ETH)])
    store.record([choppy(2, 1, signal="trend_pullback", code="veto_rr", codes=("veto_rr",))])
    became = [
        (BTC, NOW - 9 * BAR, "filled", (), ""),
        (BTC, NOW - 8 * BAR, "in_trade", ("in_trade",), ""),
    ]
    store.note_outcomes(became)
    told = desk.why("--summary")
    assert "Stage A: 61 bars evaluated = 58 stopped + 3 may trade (4.92%): adds up" in told
    assert "Stage B: 3 bars may trade = 2 stopped + 1 filled (33.33%): adds up" in told
    assert " ".join(told.split()).count("57 93.44% 4 regime_choppy the market is choppy") == 1
    assert told.split()[-4:] == ["trend_pullback", "4", "3", "1"]
    of_eth = desk.why("eth", "--summary", "--last", "20m")
    assert "Stage A: 4 bars evaluated = 4 stopped + 0 may trade" in of_eth
    assert "Stage B: 0 bars may trade = 0 stopped + 0 filled (-): adds up" in of_eth


def test_json_has_the_rows_with_their_words_and_thresholds(desk: Desk) -> None:
    store = desk.store()
    store.note_rules(NOW - 9 * BAR, RULES)
    store.record([entry(1), choppy(0)])
    (found,) = json.loads(desk.why(BTC, "--json"))["decisions"]
    assert (found["at"], found["code"], found["numbers"]) == (
        NOW,
        "regime_choppy",
        {"chop_score": 0.82},
    )
    assert found["rules"]["regime.chop_above"] == 0.7
    assert found["words"]["also"] == ["no permitted signal fires"]
    both = json.loads(desk.why(BTC, "--json", "--last", "1h"))["decisions"]
    assert [row["code"] for row in both] == ["ok", "regime_choppy"]
    first, second = json.loads(desk.why("--json", "--summary"))["stages"]
    assert (first["entered"], first["passed"], first["adds_up"]) == (2, 1, True)
    assert second["steps"][0]["code"] == ""


def test_nothing_recorded_says_what_to_do_in_words_and_as_json(desk: Desk) -> None:
    assert "is not there yet; the bot makes it when it first starts" in desk.why(BTC)
    assert json.loads(desk.why(BTC, "--json")) == {"source": "", "decisions": []}
    desk.store()
    assert "has decided nothing; a bot writes when" in desk.why(BTC)
    assert json.loads(desk.why("--summary", "--json"))["stages"] == []


def test_an_unknown_pair_names_the_nearest_first(desk: Desk) -> None:
    pairs = [f"{name}/USDT:USDT" for name in ("AAVE", "BTC", "DOGE", "ETH", "SOL", "XRP", "ZEC")]
    desk.store().record([choppy(0, pair=pair) for pair in pairs])
    told = desk.refused("EHT/USDT:USDT")
    assert "known are ETH/USDT:USDT, " in told
    assert told.rstrip().endswith("and 2 more")


def test_a_name_that_two_pairs_have_is_not_guessed(desk: Desk) -> None:
    desk.store().record([choppy(0), choppy(0, pair="BTC/USDC:USDC")])
    assert "BTC/USDC:USDC, BTC/USDT:USDT" in desk.refused("btc")
    assert BTC in desk.why("btc/usdt")


def test_without_a_pair_it_says_how_to_ask(desk: Desk) -> None:
    assert "hydra why BTC/USDT:USDT" in desk.refused()
    assert "use --last" in desk.refused("--summary", "--at", "now")


@pytest.mark.parametrize(
    "words", [["--at", "yesterday"], ["--last", "0h"], ["--last", "5"], ["--at", "now", "--last"]]
)
def test_times_that_cannot_be_read_are_refused(desk: Desk, words: list[str]) -> None:
    with pytest.raises(SystemExit):
        desk.run(BTC, *words)


def test_the_live_database_is_read_when_the_bot_trades_for_real(desk: Desk) -> None:
    desk.store("hydra.sqlite").record([choppy(0)])
    desk.configure(dry_run=False)
    assert "the market is choppy" in desk.why(BTC)


def test_an_added_file_and_the_environment_name_the_bot_as_in_freqtrade(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '// a comment\n{"hydra": {"bot_name": "b",},}'
    (desk.folder / "more.json").write_text(text, encoding="utf-8")
    desk.configure(add_config_files=["more.json"], dry_run=True)
    desk.store(bot="b").record([choppy(0)])
    assert "the market is choppy" in desk.why(BTC)
    monkeypatch.setenv("FREQTRADE__HYDRA__BOT_NAME", "c")
    assert "bot 'c'" in desk.why(BTC)
    monkeypatch.setenv("FREQTRADE__DRY_RUN", "false")
    assert "hydra.sqlite is not there yet" in desk.why(BTC)


def test_an_address_stands_over_the_configuration(desk: Desk, tmp_path: Path) -> None:
    desk.store("other.sqlite").record([choppy(0)])
    (desk.folder / "config.json").unlink()
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    assert "the market is choppy" in desk.why(BTC, "--db-url", url)
    assert "expected freqtrade's configuration" in desk.refused(BTC)


def test_a_configuration_that_cannot_be_read_is_named(desk: Desk) -> None:
    for text in ("{", "[]"):
        (desk.folder / "config.json").write_text(text, encoding="utf-8")
        assert "config.json" in desk.refused(BTC)
    desk.configure(hydra={"bot_nam": "b"})
    assert "bot_name" in desk.refused(BTC)


def test_looking_changes_nothing_while_the_bot_writes(desk: Desk) -> None:
    store = desk.store()
    store.record([choppy(1)])
    desk.why(BTC)
    desk.why("--summary")
    store.record([choppy(0)])
    assert store.since(0) == [choppy(1), choppy(0)]


def test_a_database_of_an_older_version_is_not_changed_but_named(desk: Desk) -> None:
    desk.store()
    file = desk.folder / "hydra.dryrun.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("ALTER TABLE hydra_decisions RENAME COLUMN confidence TO strength")
    connection.close()
    assert "start the bot once with this version" in desk.refused(BTC)


def test_an_answer_does_not_load_freqtrade(desk: Desk) -> None:
    desk.store().record([replace(choppy(0), at=NOW)])
    script = (
        "import sys\nfrom hydra_ft.cli.main import main\n"
        f"code = main(['why', {BTC!r}, '--userdir', {str(desk.folder)!r}])\n"
        "sys.exit(code or 'freqtrade' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, b"choppy" in done.stdout) == (0, True)
