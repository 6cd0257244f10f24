"""What the engine reports, one frozen value for each thing that the store keeps; equal records in equal order give equal rows."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, field

from mempool.model.arbitrage import Arbitrage
from mempool.model.book import Quote
from mempool.model.consolidated import ConsolidatedQuote
from mempool.model.opportunity import Opportunity
from mempool.model.outcome import Outcome, Prediction
from mempool.model.swap import DecodedCall
from mempool.model.transaction import PendingTransaction


class TransactionStatus(StrEnum):
    """Where a stored transaction stands."""

    PENDING = "pending"
    INCLUDED = "included"
    REPLACED = "replaced"
    """Another transaction of the same sender and nonce took its place; `replaced_by` names it."""
    VANISHED = "vanished"
    """It is in no block and no pool that we can see; the reason says since when or why."""
    DROPPED = "dropped"
    """We stopped following it; the reason says why."""


class RunEnd(StrEnum):
    """How a run ended."""

    CLEAN = "clean"
    SIGNAL = "signal"
    FAILED = "failed"
    UNCLEAN = "unclean"
    """It left no end; the next run says so in its place."""


class RunStart(Struct, frozen=True):
    """One run of the engine. `sources` are the names of its nodes, never their URLs."""

    started_ns: int
    version: str
    chain_id: int
    sources: tuple[str, ...]


class TransactionSeen(Struct, frozen=True, gc=False):
    """A transaction to a listed router; one that is known already stays one row. Its source is the transaction's own."""

    transaction: PendingTransaction
    decoded: DecodedCall


class TransactionDecoded(Struct, frozen=True, gc=False):
    """More is known of what a stored transaction asks for: the pools that it names by address alone have been found.

    Each of its intents takes the place of the one with its index; there are as many as before.
    """

    transaction_hash: str
    decoded: DecodedCall


class SourceSeen(Struct, frozen=True, gc=False):
    """Another source showed a transaction that is known."""

    transaction_hash: str
    source: str
    recv_ns: int


class TransactionState(Struct, frozen=True, gc=False):
    """A transaction's new state. The block fields and `succeeded` belong to `included`; an unknown hash is passed over."""

    transaction_hash: str
    status: TransactionStatus
    block_number: int | None = None
    block_hash: str = ""
    transaction_index: int | None = None
    succeeded: bool | None = None
    replaced_by: str = ""
    reason: str = ""


class PredictionMade(Struct, frozen=True, gc=False):
    """An intent was simulated. A second one on the same block is passed over; one on a later block is another row."""

    prediction: Prediction


class PredictionMissed(Struct, frozen=True, gc=False):
    """An intent could not be simulated; the reason names what was not known."""

    transaction_hash: str
    intent_index: int
    reason: str


class OutcomeGraded(Struct, frozen=True, gc=False):
    """A hop of the latest prediction of its intent was graded against the block `block_hash`."""

    outcome: Outcome
    block_hash: str
    graded_ns: int


class OpportunityFound(Struct, frozen=True, gc=False):
    """A finding about one intent. `profit_eth` and `profit_usd` are for print and rank; None where no pool prices it."""

    transaction_hash: str
    intent_index: int
    opportunity: Opportunity
    profit_eth: float | None
    profit_usd: float | None
    found_ns: int


class ArbitrageFound(Struct, frozen=True, gc=False):
    """A finding, or a near miss with its rejection, in which order books take part.

    A later record of the run with the same `number` is the same one, seen better or more often: its row is replaced.
    `profit_eth` and `profit_usd` are the net profit for print and rank; None where no book prices it. A CEX-DEX one names its
    swap.
    """

    number: int
    arbitrage: Arbitrage
    profit_eth: float | None
    profit_usd: float | None
    found_ns: int
    transaction_hash: str = ""
    intent_index: int = 0


class ArbitrageEnded(Struct, frozen=True, gc=False):
    """The gap between the books has closed, or one of them is not priced any more; of a near miss the last of its gaps has."""

    number: int
    ended_ns: int
    lived_ns: int
    """How long it has gained before fees; of a near miss in all its gaps."""


class QuoteSampled(Struct, frozen=True, gc=False):
    """A book's best quote as it stood: the first one in each interval."""

    quote: Quote


class BestSampled(Struct, frozen=True, gc=False):
    """The best over the venues as it stood, and who was left out."""

    best: ConsolidatedQuote


class BookGap(Struct, frozen=True, gc=False):
    """A book lost its price, or a message of a venue could not be used. A later one with the same `number` tells the end."""

    number: int
    venue: str
    symbol: str
    """Empty where it concerns the whole connection."""
    kind: str
    """Of the fault: `gap`, `mismatch`, `oracle`, `malformed` …; else the new state of the connection or the proof."""
    reason: str
    from_ns: int
    to_ns: int | None
    """When the book was priced again; None while it is not. A fault that cost no price ends where it began."""


class TokenSeen(Struct, frozen=True, gc=False):
    """A token's own account of itself, as foreign as it came: the store sanitises it.

    `symbol` is "" and `decimals` None where the token does not say; `listed` is true for the tokens of the configuration.
    `wraps` is the native token's symbol where this is its wrapper.
    """

    address: bytes
    symbol: str | bytes
    decimals: int | None
    listed: bool = False
    wraps: str = ""


class LabelSeen(Struct, frozen=True, gc=False):
    """What people call a factory or a router of the configuration; `kind` is `protocol` or `router`."""

    kind: str
    name: str
    label: str


class Reorged(Struct, frozen=True, gc=False):
    """A block left the chain: its transactions are pending again, its outcomes and what was found on it are marked."""

    block_hash: str


class Gap(Struct, frozen=True, gc=False):
    """Nothing was heard from `source` for a while; `backfilled` counts what was fetched afterwards."""

    source: str
    from_ns: int
    to_ns: int
    reason: str
    backfilled: int = 0


class RunCounters(Struct, frozen=True):
    """The run's counters so far (seen, foreign, dropped …); a later record replaces an earlier one."""

    counters: dict[str, int] = field(default_factory=dict)


Record = (
    TransactionSeen
    | TransactionDecoded
    | SourceSeen
    | TransactionState
    | PredictionMade
    | PredictionMissed
    | OutcomeGraded
    | OpportunityFound
    | ArbitrageFound
    | ArbitrageEnded
    | QuoteSampled
    | BestSampled
    | BookGap
    | TokenSeen
    | LabelSeen
    | Reorged
    | Gap
    | RunCounters
)
