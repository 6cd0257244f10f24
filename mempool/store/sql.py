"""The statements that write rows. Rows hang on a transaction's hash and an intent's index; unknown ones write nothing."""

from __future__ import annotations

from typing import NamedTuple

from mempool.store.columns import Value


class Statement(NamedTuple):
    """One statement to run. Statements of equal `key` keep their order; an empty key keeps its place among all."""

    sql: str
    values: tuple[Value, ...]
    key: str


def _insert(table: str, columns: str, source: str = "", conflict: str = "") -> str:
    """An INSERT of bound values; with a `source` (`p.id FROM …`) the first column comes from there, the others are bound."""
    names = columns.split()
    parent, _, rest = source.partition(" ")
    marks = ", ".join("?" * (len(names) - bool(source)))
    rows = f"SELECT {parent}, {marks} {rest}" if source else f"VALUES ({marks})"
    return " ".join(("INSERT INTO", table, f"({', '.join(names)})", rows, conflict))


def _replacing(columns: str) -> str:
    """The conflict of a record with an earlier one of the run and number: its row takes these values."""
    return f"ON CONFLICT (run_id, number) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns.split())}"


# The latest prediction of an intent is the one that is graded and that findings are about.
_LATEST = """(SELECT max(l.id) FROM transactions t
    JOIN intents i ON i.transaction_id = t.id JOIN predictions l ON l.intent_id = i.id
    WHERE t.hash = ? AND i.intent_index = ?)"""
_LATEST_PREDICTION = f"p.id FROM predictions p WHERE p.id = {_LATEST}"
INSERT_TRANSACTION = _insert(
    "transactions",
    "run_id hash sender to_address nonce value_wei value_eth gas_limit max_fee_per_gas_wei max_priority_fee_per_gas_wei"
    " router selector commands completeness reason extra_bytes first_seen_ns first_source",
    # Late gossip about a mined transaction does not make it pending again; a reorg does.
    conflict="""ON CONFLICT (hash) DO UPDATE SET state = 'pending', state_reason = ''
    WHERE state IN ('vanished', 'dropped')""",
)
INSERT_SIGHTING = """INSERT INTO sightings (transaction_id, source, recv_ns)
    SELECT id, ?, ? FROM transactions WHERE hash = ? ON CONFLICT DO NOTHING"""
_OF_AN_INTENT = (
    "router function protocols path token_in token_out hops size amount amount_approx limit_amount limit_amount_approx"
    " pays_forward balance_sources recipient deadline sqrt_price_limit_x96 revert_scopes measures_received completeness reason"
)
INSERT_INTENT = _insert(
    "intents",
    f"transaction_id intent_index {_OF_AN_INTENT}",
    "id FROM transactions WHERE hash = ?",
    "ON CONFLICT DO NOTHING",
)
UPDATE_DECODED = "UPDATE transactions SET commands = ?, completeness = ?, reason = ?, extra_bytes = ? WHERE hash = ?"
UPDATE_INTENT = " ".join(
    (
        "UPDATE intents SET",
        ", ".join(f"{name} = ?" for name in _OF_AN_INTENT.split()),
        "WHERE transaction_id = (SELECT id FROM transactions WHERE hash = ?) AND intent_index = ?",
    )
)
UPDATE_STATE = """UPDATE transactions SET state = ?, state_reason = ?, replaced_by = ?, block_number = ?, block_hash = ?,
    transaction_index = ?, succeeded = ? WHERE hash = ?"""
INSERT_PREDICTION = _insert(
    "predictions",
    "intent_id block_number block_hash parent_hash block_timestamp base_fee_wei amount_in amount_in_approx amount_out"
    " amount_out_approx reverts impact_with_fee impact_without_fee late_ns predicted_ns",
    "i.id FROM transactions t JOIN intents i ON i.transaction_id = t.id WHERE t.hash = ? AND i.intent_index = ?",
    "ON CONFLICT DO NOTHING",
)
INSERT_HOP = _insert(
    "hops",
    "prediction_id hop_index protocol kind pool token_in token_out fee_pips amount_in amount_in_approx amount_out"
    " amount_out_approx mid_numerator mid_denominator impact_with_fee impact_without_fee before after",
    """p.id FROM transactions t JOIN intents i ON i.transaction_id = t.id JOIN predictions p ON p.intent_id = i.id
    WHERE t.hash = ? AND i.intent_index = ? AND p.block_hash = ?""",
    "ON CONFLICT DO NOTHING",
)
UPDATE_MISSED = """UPDATE intents SET missed = ?
    WHERE transaction_id = (SELECT id FROM transactions WHERE hash = ?) AND intent_index = ?"""
INSERT_OUTCOME = _insert(
    "outcomes",
    "prediction_id hop_index block_number block_hash mined_amount_in mined_amount_in_approx mined_amount_out"
    " mined_amount_out_approx error_as_predicted error_as_predicted_approx error_in_block_order error_in_block_order_approx"
    " cause moved_by revert graded_ns",
    _LATEST_PREDICTION,
    "ON CONFLICT (prediction_id, hop_index, block_hash) DO UPDATE SET reorged = 0",
)
INSERT_OPPORTUNITY = _insert(
    "opportunities",
    "prediction_id kind bound profit_token gross_profit gross_profit_approx net_profit net_profit_approx profit_eth profit_usd"
    " legs gas_units gas_price_wei block_number note found_ns",
    " AND ".join(
        (
            _LATEST_PREDICTION,
            "NOT EXISTS (SELECT 1 FROM opportunities o WHERE o.prediction_id = p.id AND o.kind = ? AND o.legs = ?)",
        )
    ),
)
_OF_AN_ARBITRAGE = (
    "kind rejection note route money gross_profit gross_profit_approx net_profit net_profit_approx may_be_more profit_eth"
    " profit_usd legs oldest_age_ns lived_ns pool standing_profit standing_profit_approx gas_units gas_price_wei gas_cost"
    " gas_cost_approx block_number as_of_ns"
)
INSERT_ARBITRAGE = _insert(
    "arbitrages",
    f"prediction_id run_id number found_ns {_OF_AN_ARBITRAGE}",
    # One statement for all kinds, so that ids do not depend on batches; what names no transaction hangs on no prediction.
    f"s.prediction_id FROM (SELECT {_LATEST} AS prediction_id, ? AS hash) s WHERE s.prediction_id IS NOT NULL OR s.hash = ''",
    _replacing(f"prediction_id {_OF_AN_ARBITRAGE}") + ", status = 'open', ended_ns = NULL",
)
END_ARBITRAGE = """UPDATE arbitrages SET status = iif(status = 'open', 'ended', status), ended_ns = ?, lived_ns = ?
    WHERE run_id = ? AND number = ?"""
INSERT_QUOTE = _insert(
    "quotes",
    "run_id venue symbol pair bid bid_approx bid_size bid_size_approx ask ask_approx ask_size ask_size_approx proof recv_ns"
    " event_ns",
)
INSERT_BEST_QUOTE = _insert(
    "best_quotes",
    "run_id pair after_fees bid bid_approx bid_size bid_size_approx bid_venues ask ask_approx ask_size ask_size_approx ask_venues"
    " market since_ns oldest_age_ns left_out now_ns",
)
_OF_A_BOOK_GAP = "venue symbol kind reason from_ns to_ns"
INSERT_BOOK_GAP = _insert("book_gaps", f"run_id number {_OF_A_BOOK_GAP}", conflict=_replacing(_OF_A_BOOK_GAP))
INSERT_TOKEN = _insert(
    "tokens",
    "address symbol decimals unit listed wraps",
    conflict="""ON CONFLICT (address) DO UPDATE SET symbol = excluded.symbol, decimals = excluded.decimals,
    unit = excluded.unit, listed = excluded.listed, wraps = excluded.wraps WHERE excluded.listed >= listed""",
)
INSERT_LABEL = _insert("labels", "kind name label", conflict="ON CONFLICT (kind, name) DO UPDATE SET label = excluded.label")
INSERT_GAP = _insert("gaps", "run_id source from_ns to_ns reason backfilled")
INSERT_RUN = _insert("runs", "started_ns version chain_id sources")
UPDATE_COUNTERS = "UPDATE runs SET counters = ? WHERE id = ?"
UPDATE_HEARD = "UPDATE runs SET heard_until_ns = max(coalesce(heard_until_ns, 0), ?) WHERE id = ?"
END_RUN = "UPDATE runs SET ended_ns = ?, ended = ? WHERE id = ?"
END_KILLED_RUNS = "UPDATE runs SET ended_ns = coalesce(heard_until_ns, started_ns), ended = 'unclean' WHERE ended IS NULL"
REORG_OUTCOMES = "UPDATE outcomes SET reorged = 1 WHERE block_hash = ?"
REORG_OPPORTUNITIES = """UPDATE opportunities SET status = 'reorged'
    WHERE prediction_id IN (SELECT id FROM predictions WHERE block_hash = ?)"""
REORG_ARBITRAGES = """UPDATE arbitrages SET status = 'reorged'
    WHERE prediction_id IN (SELECT id FROM predictions WHERE block_hash = ?)"""
REORG_TRANSACTIONS = """UPDATE transactions SET state = 'pending', state_reason = 'its block left the chain', block_number = NULL,
    block_hash = NULL, transaction_index = NULL, succeeded = NULL WHERE block_hash = ? AND state = 'included'"""


def _delete_old(table: str, time: str, condition: str = "") -> str:
    """Deletes at most so many rows from before a time, the oldest first."""
    rows = " ".join(("SELECT id FROM", table, f"WHERE {time} < ? {condition} ORDER BY {time} LIMIT ?"))
    return " ".join(("DELETE FROM", table, f"WHERE id IN ({rows})"))


DELETE_OLD = (
    _delete_old("transactions", "first_seen_ns"),
    _delete_old("arbitrages", "found_ns"),
    _delete_old("quotes", "recv_ns"),
    _delete_old("best_quotes", "now_ns"),
    # A gap that lasts is not old.
    _delete_old("book_gaps", "from_ns", "AND (to_ns IS NOT NULL OR run_id < (SELECT max(id) FROM runs))"),
)
