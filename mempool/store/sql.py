"""The statements that write rows. Rows hang on a transaction's hash and an intent's index; unknown ones write nothing."""

from __future__ import annotations


def _insert(table: str, columns: str, source: str = "", conflict: str = "") -> str:
    """An INSERT of bound values; with a `source` (`p.id FROM …`) the first column comes from there, the others are bound."""
    names = columns.split()
    parent, _, rest = source.partition(" ")
    marks = ", ".join("?" * (len(names) - bool(source)))
    rows = f"SELECT {parent}, {marks} {rest}" if source else f"VALUES ({marks})"
    return " ".join(("INSERT INTO", table, f"({', '.join(names)})", rows, conflict))


# The latest prediction of an intent is the one that is graded and that findings are about.
_LATEST_PREDICTION = """p.id FROM predictions p WHERE p.id = (SELECT max(l.id) FROM transactions t
    JOIN intents i ON i.transaction_id = t.id JOIN predictions l ON l.intent_id = i.id
    WHERE t.hash = ? AND i.intent_index = ?)"""
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
REORG_TRANSACTIONS = """UPDATE transactions SET state = 'pending', state_reason = 'its block left the chain', block_number = NULL,
    block_hash = NULL, transaction_index = NULL, succeeded = NULL WHERE block_hash = ? AND state = 'included'"""
DELETE_OLD = """DELETE FROM transactions WHERE id IN
    (SELECT id FROM transactions WHERE first_seen_ns < ? ORDER BY first_seen_ns LIMIT ?)"""
