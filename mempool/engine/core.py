"""The order of the stages: pending transactions and blocks in, records out, in one synchronous call chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from mempool.decode import DecodeTables, decode_transaction
from mempool.decode.found_pools import FoundPools, unnamed_pools
from mempool.engine.block_run import BlockMoves, run_block
from mempool.engine.counters import Counters
from mempool.engine.desk import Desk
from mempool.engine.findings import Findings
from mempool.engine.following import Following
from mempool.engine.name_wants import NameWants
from mempool.engine.pool_wants import PoolRequest, PoolWants, siblings
from mempool.engine.recent_blocks import Followed
from mempool.engine.token_wants import TokenWants
from mempool.engine.waiting import PoolWaits
from mempool.errors import StateUnknown, TicksUnknown
from mempool.market import Market, MarketView
from mempool.model.block import BlockRef, MinedBlock
from mempool.model.outcome import Cause, Prediction
from mempool.model.pool import PoolIdentity, PoolState
from mempool.model.record import OutcomeGraded, PredictionMade, PredictionMissed, Record, TokenSeen, TransactionDecoded
from mempool.model.swap import Completeness, DecodedCall
from mempool.model.transaction import PendingTransaction
from mempool.simulate import CallResult, simulate_call

UNREADABLE = (Completeness.MALFORMED, Completeness.REFUSED)


class EngineOptions(Struct, frozen=True):
    """Choices that change what is reported, never how it is computed."""

    min_profit_eth: float = 0.0
    priority_fee_wei: int = 1_000_000_000
    """Assumed tip of a taker, on top of the base fee."""
    words_each_side: int = 4
    """Bitmap words loaded on each side of a V3 pool's price at first; doubled on demand up to `max_words_each_side`."""
    max_words_each_side: int = 64
    pending_capacity: int = 50_000
    waiting_capacity: int = 4_096


class Engine:
    """Holds all that changes while transactions and blocks come in; reads no clock and awaits nothing.

    Its owner sets `now_ns` to the stamp of the message that it hands in, and after each call carries out what
    `take_pool_requests`, `take_token_requests` and `take_name_requests` give, whose answers come back through the `on_…` methods.
    What it learns of pools stays its own: other engines of the process decode with the tables as they were given.
    """

    def __init__(self, tables: DecodeTables, emit: Callable[[Record], None], options: EngineOptions = EngineOptions()) -> None:  # noqa: B008 - frozen
        self.tables = replace(tables, found_pools=FoundPools(tables.factories, tuple(tables.tokens)))
        self.counters, self.market = Counters(), Market()
        self.now_ns = 0
        self.following = Following(emit, self.counters, options.pending_capacity)
        self.waits = PoolWaits(options.waiting_capacity)
        self.name_waits = PoolWaits(options.waiting_capacity)
        """Swaps that wait for the tokens of pools which they name by address alone."""
        self._emit = emit
        self._wants = PoolWants(options.words_each_side, options.max_words_each_side)
        self._tokens = TokenWants(tables)
        self._names = NameWants()
        self._findings = Findings(tables, options.min_profit_eth, options.priority_fee_wei, self.counters)

    def compare_with(self, desk: Desk) -> None:
        """Hold what swaps do to their pools against these order books too."""
        self._findings.compare_with(desk)

    @property
    def head(self) -> BlockRef | None:
        return self.market.head

    def take_pool_requests(self) -> list[PoolRequest]:
        return self._wants.take()

    def take_token_requests(self) -> list[bytes]:
        return self._tokens.take()

    def take_name_requests(self) -> list[bytes]:
        """Pools whose two tokens are wanted."""
        return self._names.take()

    # -- pending transactions ------------------------------------------------------------------------------------------

    def on_pending(self, transaction: PendingTransaction) -> None:
        """The hot path: one sighting, from decoding to the findings."""
        if self.following.knows(transaction.hash):
            self._seen_again(transaction)
            return
        call = decode_transaction(self.tables, transaction)
        if call is None:
            self.counters.foreign += 1
        elif self._may_swap(call):
            self._follow(Followed(transaction, call))
        elif call.completeness in UNREADABLE:
            self.counters.unreadable += 1
        else:
            self.counters.not_a_swap += 1

    def _may_swap(self, call: DecodedCall) -> bool:
        """Whether a call is worth following; of one that only carries other calls none of which is known, nothing says so."""
        return bool(call.intents) or (call.completeness is Completeness.OPAQUE and call.router not in self.tables.wrappers)

    def on_pool_content(self, hashes: frozenset[str], source: str) -> None:
        """The whole pool of `source`: what it showed before and no longer holds has vanished."""
        self.following.vanish_all_but(hashes, source, "the node's pool no longer holds it")

    def restore(self, followed: Iterable[Followed]) -> None:
        """Follow on what an earlier run left pending."""
        for each in followed:
            self.following.restore(each)
            for intent in each.call.intents:
                for hop in intent.hops:
                    self.tables.found_pools.recall(hop)

    def _seen_again(self, transaction: PendingTransaction) -> None:
        returned = self.following.seen_again(transaction)
        if returned is not None and not returned.predictions:
            self._predict(returned)

    def _follow(self, followed: Followed) -> None:
        self.counters.swaps += 1
        if self.following.add(followed):
            self._tokens.name(followed.call)
            self._predict(followed)

    # -- predictions ---------------------------------------------------------------------------------------------------

    def _predict(self, followed: Followed) -> None:
        """Simulate the call and look for what it opens, or wait for the pools that are not there yet."""
        if not self._names_are_settled(followed):
            return
        head, pools = self.market.head, followed.call.pools
        if head is None or not followed.call.intents:
            return
        view = self.market.view()
        wanted = [pool for pool in pools if view.pool(pool) is None and not self._wants.is_absent(pool, head)]
        if not wanted:
            outcome = simulate_call(followed.call, view, head.timestamp + self.tables.chain.slot_seconds)
            wanted = [error.pool for _, error in outcome.unknown if self._can_widen(error)]
        if wanted:
            self._await_pools(followed, [pools[pool] for pool in wanted], head)
            return
        self._report(followed, outcome, view)

    def _names_are_settled(self, followed: Followed) -> bool:
        """Decode again what names pools that are known by now; False while the tokens of others are on their way."""
        unnamed = unnamed_pools(followed.call)
        if not unnamed or followed.transaction.to is None:  # an earlier run's, whose calldata is gone
            return True
        known = self.tables.found_pools.by_address
        if not known.keys().isdisjoint(unnamed):
            self._decode_again(followed)
            unnamed = unnamed_pools(followed.call)
        awaited = self._names.ask(pool for pool in unnamed if pool not in known)
        if awaited:
            self.name_waits.add(followed.transaction.hash, awaited)
        return not awaited

    def _decode_again(self, followed: Followed) -> None:
        """Tokens that have become known fill in the hops; where more than that would change, the first reading stands."""
        call = decode_transaction(self.tables, followed.transaction)
        if call is not None and call != followed.call and len(call.intents) == len(followed.call.intents):
            followed.call = call
            self._emit(TransactionDecoded(followed.transaction.hash, call))
            self._tokens.name(call)

    def _can_widen(self, error: StateUnknown) -> bool:
        return isinstance(error, TicksUnknown) and self._wants.widen(error.pool)

    def _await_pools(self, followed: Followed, missing: Sequence[PoolIdentity], head: BlockRef) -> None:
        self._wants.ask(missing, head)
        self.waits.add(followed.transaction.hash, [identity.address for identity in missing])

    def _report(self, followed: Followed, outcome: CallResult, view: MarketView) -> None:
        transaction = followed.transaction
        late_ns = self.now_ns - transaction.recv_ns
        followed.reported = True
        for index, error in outcome.unknown:
            self.counters.not_simulated += 1
            self.counters.state_unknown += isinstance(error, TicksUnknown)
            self._emit(PredictionMissed(transaction.hash, index, str(error)))
        for index, result in outcome.by_intent():
            prediction = Prediction(transaction.hash, index, result, self.now_ns, late_ns)
            followed.predictions[index] = prediction
            self.counters.simulated += 1
            self._emit(PredictionMade(prediction))
        if followed.call.by_selector:
            return
        for found in self._findings.of_call(transaction.hash, outcome, view, self.now_ns):
            self._emit(found)

    # -- what was asked for --------------------------------------------------------------------------------------------

    def on_pools(self, states: Iterable[PoolState], block: BlockRef) -> None:
        """Snapshots taken at one block; where that block has left the chain since, whoever waits asks again."""
        for state in states:
            self._wants.answered(state.address)
            if self.market.add_snapshot(state, block.hash):
                self._ask_siblings(state)
                self._release(state.address)
        self._ask_for_waiting()

    def on_pools_absent(self, pools: Iterable[bytes], block: BlockRef) -> None:
        """No contract stands at these addresses, at that block."""
        for pool in pools:
            self._wants.absent(pool, block)
            self._release(pool)

    def on_pools_failed(self, pools: Iterable[bytes]) -> None:
        """The read failed; whoever still waits asks again with the next block."""
        for pool in pools:
            self._wants.answered(pool)

    def on_pool_tokens(self, pool: bytes, tokens: tuple[bytes, bytes] | None) -> None:
        """What a pool says its two tokens are. It is believed only where a listed factory has that pool of those tokens."""
        if tokens is not None and self.tables.found_pools.learn(pool, tokens):
            self._names.answered(pool)
        else:
            self._names.in_vain(pool)
        self._predict_all(self.name_waits.arrived(pool))

    def on_pool_tokens_failed(self, pool: bytes) -> None:
        """The node did not answer; whoever still waits asks again with the next block."""
        self._names.answered(pool)

    def on_token(self, address: bytes, symbol: str | bytes, decimals: int | None) -> None:
        """A token's own account of itself."""
        self._emit(TokenSeen(address, symbol, decimals))

    def _release(self, pool: bytes) -> None:
        self._predict_all(self.waits.arrived(pool))

    def _predict_all(self, hashes: Iterable[str]) -> None:
        for transaction_hash in hashes:
            followed = self.following.waiting(transaction_hash)
            if followed is not None:
                self._predict(followed)

    def _ask_for_waiting(self) -> None:
        """Ask, at the head, for what somebody waits for and no open request will bring."""
        head = self.market.head
        for transaction_hash, pools in self.waits.items():
            followed = self.following.waiting(transaction_hash)
            if followed is None:
                self.waits.forget(transaction_hash)
            elif head is not None:
                identities = followed.call.pools
                self._wants.ask([identities[pool] for pool in pools], head)

    def _ask_for_names(self) -> None:
        """Ask once more for the tokens of pools that somebody still waits for, where a read has failed."""
        for transaction_hash, pools in self.name_waits.items():
            if self.following.waiting(transaction_hash) is None:
                self.name_waits.forget(transaction_hash)
            else:
                self._names.ask(pools)

    def _ask_siblings(self, state: PoolState) -> None:
        """The other pools of the same two tokens, where an arbitrage may open; nobody waits for them."""
        view = self.market.view()
        others = siblings(self.tables, state.token0, state.token1)
        self._wants.ask_once([each for each in others if view.pool(each.address) is None], view.block)

    # -- blocks --------------------------------------------------------------------------------------------------------

    def on_block(self, block: MinedBlock) -> None:
        """Grade what the block mined on its parent's state, move the market on, and note who left the pool.

        A block that follows none of the kept ones is not graded: the pools before it are not known, and are asked for anew.
        """
        if self.market.head is not None and block.ref.hash == self.market.head.hash:
            return
        orphaned = self.market.rewind_to(block.ref.parent_hash)
        self.following.orphan(orphaned or ())
        predictions = self.following.predictions(block)
        self._miss(predictions)
        moves = BlockMoves(block.ref.number, {}) if orphaned is None else self._grade(block, predictions)
        change = self.market.apply_block(block.ref, [log for receipt in block.receipts for log in receipt.logs])
        self.following.orphan(change.orphaned)
        self.following.include(block, moves)
        self.counters.blocks += 1
        if orphaned is None:
            self._begin(block.ref)
        self._ask_for_waiting()
        self._ask_for_names()

    def on_block_after_gap(self, block: MinedBlock) -> None:
        """A block of a time in which no pool was heard: swaps that nobody showed get their rows, but no predictions."""
        for transaction in block.transactions:
            call = None if self.following.knows(transaction.hash) else decode_transaction(self.tables, transaction)
            if call is not None and self._may_swap(call):
                self.counters.swaps += 1
                self.counters.unheard += 1
                self.following.add(Followed(transaction, call))
                self._tokens.name(call)
        self.on_block(block)

    def _begin(self, head: BlockRef) -> None:
        """Nothing is known at this head: ask for the configured pools, and for what the waiting swaps need."""
        self._wants.ask((self.tables.usd_pool, *self.tables.preloaded), head)
        for followed in self.following.all_waiting():
            if not followed.predictions:
                self._predict(followed)

    def _miss(self, mined: Iterable[str]) -> None:
        """Say of mined swaps that still waited for their pools, or were never shown, that no prediction comes."""
        for transaction_hash in mined:
            followed = self.following.waiting(transaction_hash)
            if followed is not None and not followed.reported and not followed.predictions:
                followed.reported = True
                for index in range(len(followed.call.intents)):
                    self.counters.not_simulated += 1
                    self._emit(PredictionMissed(transaction_hash, index, "it was mined before it could be simulated"))

    def _grade(self, block: MinedBlock, predictions: Mapping[str, Sequence[Prediction]]) -> BlockMoves:
        predicted = {(made.transaction_hash, made.intent_index) for each in predictions.values() for made in each}
        run = run_block(self.market.view(), block, self.tables, predictions, self.following.recent.moves())
        for graded in run.calls:
            for outcome in graded.graded.outcomes:
                if (outcome.transaction_hash, outcome.intent_index) in predicted:
                    self.counters.graded += 1
                    self._emit(OutcomeGraded(outcome, block.ref.hash, self.now_ns))
                if outcome.cause is Cause.FEE_ON_TRANSFER:
                    hop = graded.call.intents[outcome.intent_index].hops[outcome.hop_index]
                    self._findings.learn_tax(hop.token_in)
        return run.moves
