"""What each record writes: SQL text and bound values, nothing else. Records name transactions by hash, rows by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter

import orjson

from mempool.model.display import display, priced_decimals
from mempool.model.record import (
    ArbitrageEnded,
    ArbitrageFound,
    BestSampled,
    BookGap,
    Gap,
    LabelSeen,
    OpportunityFound,
    OutcomeGraded,
    PredictionMade,
    PredictionMissed,
    QuoteSampled,
    Record,
    Reorged,
    RunCounters,
    SourceSeen,
    TokenSeen,
    TransactionDecoded,
    TransactionSeen,
    TransactionState,
)
from mempool.model.swap import DecodedCall, SwapIntent
from mempool.store import sql
from mempool.store.book_statements import BOOK_WRITERS
from mempool.store.columns import (
    Value,
    amount,
    counterpart,
    hex_text,
    int64,
    json_text,
    path_impact,
    pool_numbers,
    size_columns,
)
from mempool.store.sql import Statement


def statements(record: Record, run_id: int) -> Iterator[Statement]:
    """The statements of one record, in order."""
    return WRITERS[type(record)](record, run_id)


def heard_ns(record: Record) -> int:
    """When a record was made, or 0 where it does not say."""
    if isinstance(record, BookGap):
        return int64(record.from_ns if record.to_ns is None else record.to_ns)
    time_of = _TIMES.get(type(record))
    return 0 if time_of is None else int64(time_of(record))


_TIMES: dict[type, Callable[[Record], int]] = {
    TransactionSeen: attrgetter("transaction.recv_ns"),
    SourceSeen: attrgetter("recv_ns"),
    PredictionMade: attrgetter("prediction.predicted_ns"),
    OutcomeGraded: attrgetter("graded_ns"),
    OpportunityFound: attrgetter("found_ns"),
    ArbitrageFound: attrgetter("found_ns"),
    ArbitrageEnded: attrgetter("ended_ns"),
    QuoteSampled: attrgetter("quote.recv_ns"),
    BestSampled: attrgetter("best.now_ns"),
    Gap: attrgetter("to_ns"),
}


def transaction_hash(record: Record) -> str:
    """The transaction that a record belongs to, or ""."""
    match record:
        case TransactionSeen():
            return record.transaction.hash
        case PredictionMade():
            return record.prediction.transaction_hash
        case OutcomeGraded():
            return record.outcome.transaction_hash
        case TransactionDecoded() | SourceSeen() | TransactionState() | PredictionMissed() | OpportunityFound():
            return record.transaction_hash
        case ArbitrageFound():
            return record.transaction_hash
    return ""


def _transaction_seen(record: TransactionSeen, run_id: int) -> Iterator[Statement]:
    tx, call = record.transaction, record.decoded
    values: tuple[Value, ...] = (
        *(run_id, tx.hash, hex_text(tx.sender), hex_text(tx.to) if tx.to is not None else None, int64(tx.nonce)),
        *(str(tx.value_wei), tx.value_wei / 10**18, int64(tx.gas_limit)),
        *(str(tx.max_fee_per_gas_wei), str(tx.max_priority_fee_per_gas_wei), call.router, hex_text(call.selector)),
        *_call_values(call),
        *(int64(tx.recv_ns), display(tx.source, 100)),
    )
    yield Statement(sql.INSERT_TRANSACTION, values, tx.hash)
    yield Statement(sql.INSERT_SIGHTING, (display(tx.source, 100), int64(tx.recv_ns), tx.hash), tx.hash)
    for index, intent in enumerate(call.intents):
        yield Statement(sql.INSERT_INTENT, (index, *_intent_values(intent), tx.hash), tx.hash)


def _transaction_decoded(record: TransactionDecoded, _run_id: int) -> Iterator[Statement]:
    call, key = record.decoded, record.transaction_hash
    yield Statement(sql.UPDATE_DECODED, (*_call_values(call), key), key)
    for index, intent in enumerate(call.intents):
        yield Statement(sql.UPDATE_INTENT, (*_intent_values(intent), key, index), key)


def _call_values(call: DecodedCall) -> tuple[Value, ...]:
    """`commands, completeness, reason, extra_bytes` of a transaction."""
    commands = json_text([display(name, 100) for name in call.commands])
    return commands, call.completeness.value, display(call.reason, 500), int64(call.extra_bytes)


def _intent_values(intent: SwapIntent) -> tuple[Value, ...]:
    hops = [
        {
            "protocol": hop.protocol,
            "kind": hop.kind,
            "pool": hex_text(hop.pool),
            "token_in": hex_text(hop.token_in),
            "token_out": hex_text(hop.token_out),
            "fee_pips": counterpart(hop.fee_pips),
            "tick_spacing": int64(hop.tick_spacing),
            "hooks": hex_text(hop.hooks),
            "zero_for_one": hop.zero_for_one,
        }
        for hop in intent.hops
    ]
    tokens = [hex_text(hop.token_in) for hop in intent.hops] + [hex_text(hop.token_out) for hop in intent.hops[-1:]]
    return (
        *(intent.router, intent.function, ", ".join(dict.fromkeys(hop.protocol for hop in intent.hops))),
        *(">".join(tokens), tokens[0] if tokens else None, tokens[-1] if tokens else None, json_text(hops)),
        *size_columns(intent.size),
        *(hex_text(intent.recipient), None if intent.deadline is None else str(intent.deadline)),
        *(str(intent.sqrt_price_limit_x96), json_text(intent.revert_scopes), int(intent.measures_received)),
        *(intent.completeness.value, display(intent.reason, 500)),
    )


def _source_seen(record: SourceSeen, _run_id: int) -> Iterator[Statement]:
    values = (display(record.source, 100), int64(record.recv_ns), record.transaction_hash)
    yield Statement(sql.INSERT_SIGHTING, values, record.transaction_hash)


def _transaction_state(record: TransactionState, _run_id: int) -> Iterator[Statement]:
    values = (
        *(record.status.value, display(record.reason, 500), record.replaced_by or None, counterpart(record.block_number)),
        *(record.block_hash or None, counterpart(record.transaction_index)),
        *(None if record.succeeded is None else int(record.succeeded), record.transaction_hash),
    )
    yield Statement(sql.UPDATE_STATE, values, record.transaction_hash)


def _prediction_made(record: PredictionMade, _run_id: int) -> Iterator[Statement]:
    made = record.prediction
    result, block, key = made.result, made.result.block, made.transaction_hash
    impacts = [(float(hop.impact.with_fee), float(hop.impact.without_fee)) for hop in result.hops]
    values = (
        *(int64(block.number), block.hash, block.parent_hash, int64(block.timestamp), str(block.base_fee_per_gas_wei)),
        *(*amount(result.amount_in), *amount(result.amount_out), display(result.reverts, 500)),
        *(path_impact(with_fee for with_fee, _ in impacts), path_impact(without_fee for _, without_fee in impacts)),
        *(int64(made.late_ns), int64(made.predicted_ns), key, made.intent_index),
    )
    yield Statement(sql.INSERT_PREDICTION, values, key)
    for index, (hop, impact) in enumerate(zip(result.hops, impacts, strict=True)):
        hop_values = (
            *(index, hop.hop.protocol, hop.hop.kind, hex_text(hop.hop.pool), hex_text(hop.hop.token_in)),
            *(hex_text(hop.hop.token_out), counterpart(hop.hop.fee_pips), *amount(hop.amount_in), *amount(hop.amount_out)),
            *(str(hop.impact.mid_numerator), str(hop.impact.mid_denominator), *impact),
            *(pool_numbers(hop.before), pool_numbers(hop.after), key, made.intent_index, block.hash),
        )
        yield Statement(sql.INSERT_HOP, hop_values, key)


def _prediction_missed(record: PredictionMissed, _run_id: int) -> Iterator[Statement]:
    values = (display(record.reason, 500), record.transaction_hash, record.intent_index)
    yield Statement(sql.UPDATE_MISSED, values, record.transaction_hash)


def _outcome_graded(record: OutcomeGraded, _run_id: int) -> Iterator[Statement]:
    outcome = record.outcome
    values = (
        *(outcome.hop_index, int64(outcome.block_number), record.block_hash, *amount(outcome.mined_amount_in)),
        *(*amount(outcome.mined_amount_out), *amount(outcome.error_as_predicted), *amount(outcome.error_in_block_order)),
        *(outcome.cause.value, json_text(outcome.moved_by), outcome.revert.value, int64(record.graded_ns)),
        *(outcome.transaction_hash, outcome.intent_index),
    )
    yield Statement(sql.INSERT_OUTCOME, values, outcome.transaction_hash)


def _opportunity_found(record: OpportunityFound, _run_id: int) -> Iterator[Statement]:
    found = record.opportunity
    legs = json_text(
        [
            {
                "pool": hex_text(leg.pool),
                "token_in": hex_text(leg.token_in),
                "token_out": hex_text(leg.token_out),
                "amount_in": str(leg.amount_in),
                "amount_out": str(leg.amount_out),
            }
            for leg in found.legs
        ]
    )
    values = (
        *(found.kind.value, found.bound.value, hex_text(found.profit_token), *amount(found.gross_profit)),
        *(*amount(found.net_profit), record.profit_eth, record.profit_usd, legs, int64(found.gas_units)),
        *(str(found.gas_price_wei), int64(found.block_number), display(found.note, 500), int64(record.found_ns)),
        *(record.transaction_hash, record.intent_index, found.kind.value, legs),
    )
    yield Statement(sql.INSERT_OPPORTUNITY, values, record.transaction_hash)


def _token_seen(record: TokenSeen, _run_id: int) -> Iterator[Statement]:
    address, decimals = hex_text(record.address), priced_decimals(record.decimals)
    unit = None if decimals is None else float(10**decimals)
    values = (address, display(record.symbol).strip(), decimals, unit, int(record.listed), display(record.wraps))
    yield Statement(sql.INSERT_TOKEN, values, address)


def _label_seen(record: LabelSeen, _run_id: int) -> Iterator[Statement]:
    yield Statement(sql.INSERT_LABEL, (record.kind, record.name, display(record.label, 64)), f"{record.kind} {record.name}")


def _gap(record: Gap, run_id: int) -> Iterator[Statement]:
    values = (run_id, display(record.source, 100), int64(record.from_ns), int64(record.to_ns), display(record.reason, 500))
    yield Statement(sql.INSERT_GAP, (*values, int64(record.backfilled)), "gap")


def _run_counters(record: RunCounters, run_id: int) -> Iterator[Statement]:
    yield Statement(
        sql.UPDATE_COUNTERS, (orjson.dumps(record.counters, option=orjson.OPT_SORT_KEYS).decode(), run_id), "counters"
    )


def _reorged(record: Reorged, _run_id: int) -> Iterator[Statement]:
    for text in (sql.REORG_OUTCOMES, sql.REORG_OPPORTUNITIES, sql.REORG_ARBITRAGES, sql.REORG_TRANSACTIONS):
        yield Statement(text, (record.block_hash,), "")


WRITERS: dict[type, Callable[..., Iterator[Statement]]] = {
    TransactionSeen: _transaction_seen,
    TransactionDecoded: _transaction_decoded,
    SourceSeen: _source_seen,
    TransactionState: _transaction_state,
    PredictionMade: _prediction_made,
    PredictionMissed: _prediction_missed,
    OutcomeGraded: _outcome_graded,
    OpportunityFound: _opportunity_found,
    **BOOK_WRITERS,
    TokenSeen: _token_seen,
    LabelSeen: _label_seen,
    Gap: _gap,
    RunCounters: _run_counters,
    Reorged: _reorged,
}
