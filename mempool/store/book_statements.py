"""What the records of order books write: arbitrages, sampled quotes and gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mempool.model.arbitrage import Arbitrage, BookTrade, CexDexArbitrage, PoolTrade
from mempool.model.consolidated import Best
from mempool.model.display import display, short_address
from mempool.model.record import ArbitrageEnded, ArbitrageFound, BestSampled, BookGap, QuoteSampled
from mempool.store import sql
from mempool.store.columns import Value, counterpart, hex_text, int64, json_text, quotient, scaled
from mempool.store.sql import Statement

Leg = PoolTrade | BookTrade


def _arbitrage_found(record: ArbitrageFound, run_id: int) -> Iterator[Statement]:
    found = record.arbitrage
    legs = _legs(found)
    pool = found if isinstance(found, CexDexArbitrage) else None
    ages = [trade.age_ns for trade in found.trades]
    values: tuple[Value, ...] = (
        *(run_id, record.number, int64(record.found_ns), found.kind.value, found.rejection.value if found.rejection else ""),
        *(display(found.note, 500), _route(legs), display(found.money), *quotient(found.gross_profit)),
        *(*quotient(found.net_profit), int(found.may_be_more), record.profit_eth, record.profit_usd),
        *(json_text([_leg(leg) for leg in legs]), counterpart(max(ages, default=None)), int64(found.lived_ns)),
        *(_OF_NO_POOL if pool is None else _of_a_pool(pool)),
        *(int64(record.found_ns), record.transaction_hash, record.intent_index, record.transaction_hash),
    )
    yield Statement(sql.INSERT_ARBITRAGE, values, record.transaction_hash or "arbitrages")


_OF_NO_POOL = (None,) * 8


def _of_a_pool(found: CexDexArbitrage) -> tuple[Value, ...]:
    """`pool, standing_profit, …_approx, gas_units, gas_price_wei, gas_cost, …_approx, block_number`."""
    gas = (int64(found.gas_units), str(found.gas_price_wei), *quotient(found.gas_cost))
    return hex_text(found.pool_trade.pool), *quotient(found.standing_profit), *gas, int64(found.block_number)


def _legs(found: Arbitrage) -> list[Leg]:
    """All trades in trade order: the pool's comes last where the exchanges' ones spend the money that it brings back."""
    if not isinstance(found, CexDexArbitrage):
        return list(found.trades)
    if any(trade.asset_in == found.money for trade in found.trades):
        return [*found.trades, found.pool_trade]
    return [found.pool_trade, *found.trades]


def _leg(leg: Leg) -> dict[str, Value]:
    if isinstance(leg, PoolTrade):
        tokens = {"pool": hex_text(leg.pool), "token_in": hex_text(leg.token_in), "token_out": hex_text(leg.token_out)}
        return {**tokens, "amount_in": str(leg.amount_in), "amount_out": str(leg.amount_out)}
    return {
        "venue": leg.instrument.venue,
        "symbol": display(leg.instrument.symbol, 64),
        "trade": leg.trade.name.lower(),
        "asset_in": display(leg.asset_in),
        "asset_out": display(leg.asset_out),
        "amount_in": quotient(leg.amount_in)[0],
        "amount_out": quotient(leg.amount_out)[0],
        "worst_price": quotient(leg.worst_price)[0],
        "age_ms": leg.age_ns / 1e6,
    }


def _route(legs: list[Leg]) -> str:
    """`buy ETH/USDT binance > sell ETH/USD kraken`; of a pool `buy in 0x88e6…5640 > …` or `… > sell in 0x88e6…5640`."""
    steps = []
    for position, leg in enumerate(legs):
        if isinstance(leg, PoolTrade):
            steps.append(f"{'sell' if position else 'buy'} in {short_address(leg.pool)}")
        else:
            steps.append(f"{leg.trade.name.lower()} {display(leg.instrument.pair)} {leg.instrument.venue}")
    return " > ".join(steps)


def _arbitrage_ended(record: ArbitrageEnded, run_id: int) -> Iterator[Statement]:
    # Its finding may stand under a transaction, which this does not name: the empty key keeps it behind.
    yield Statement(sql.END_ARBITRAGE, (int64(record.ended_ns), int64(record.lived_ns), run_id, record.number), "")


def _quote_sampled(record: QuoteSampled, run_id: int) -> Iterator[Statement]:
    quote = record.quote
    instrument, price_decimals, size_decimals = quote.instrument, quote.price_decimals, quote.size_decimals
    values = (
        *(run_id, instrument.venue, display(instrument.symbol, 64), display(instrument.pair, 64)),
        *(*scaled(quote.bid_price, price_decimals), *scaled(quote.bid_size, size_decimals)),
        *(*scaled(quote.ask_price, price_decimals), *scaled(quote.ask_size, size_decimals)),
        *(quote.proof.value, int64(quote.recv_ns), int64(quote.event_ns) or None),
    )
    yield Statement(sql.INSERT_QUOTE, values, "quotes")


def _best_sampled(record: BestSampled, run_id: int) -> Iterator[Statement]:
    best = record.best
    left_out = [
        {
            "venue": each.instrument.venue,
            "symbol": display(each.instrument.symbol, 64),
            "reason": display(each.reason, 500),
        }
        for each in best.left_out
    ]
    values = (
        *(run_id, display(best.pair, 64), int(best.after_fees), *_side(best.bid), *_side(best.ask)),
        *(best.market.value, int64(best.since_ns), int64(best.oldest_ns), json_text(left_out), int64(best.now_ns)),
    )
    yield Statement(sql.INSERT_BEST_QUOTE, values, "best quotes")


def _side(best: Best | None) -> tuple[Value, ...]:
    """`price, …_approx, size, …_approx, venues` of one side."""
    if best is None:
        return None, None, None, None, ""
    venues = dict.fromkeys(instrument.venue for instrument, _ in best.shares)
    return *quotient(best.exact_price), *scaled(best.size, best.size_decimals), ", ".join(venues)


def _book_gap(record: BookGap, run_id: int) -> Iterator[Statement]:
    values = (
        *(run_id, record.number, display(record.venue), display(record.symbol, 64), display(record.kind)),
        *(display(record.reason, 500), int64(record.from_ns), counterpart(record.to_ns)),
    )
    yield Statement(sql.INSERT_BOOK_GAP, values, "book gaps")


BOOK_WRITERS: dict[type, Callable[..., Iterator[Statement]]] = {
    ArbitrageFound: _arbitrage_found,
    ArbitrageEnded: _arbitrage_ended,
    QuoteSampled: _quote_sampled,
    BestSampled: _best_sampled,
    BookGap: _book_gap,
}
