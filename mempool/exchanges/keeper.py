"""Keeps one book of one connection: applies its messages, holds them to the venue's proof, and says when it may be priced."""

from __future__ import annotations

from mempool.books.order_book import OrderBook
from mempool.books.scale import BadNumber
from mempool.exchanges.asking import Asking
from mempool.exchanges.counts import Counts
from mempool.exchanges.events import BookEvent, Fault, StateChanged
from mempool.exchanges.exchange import SECOND_NS, Continuity, Exchange
from mempool.exchanges.messages import BestQuote
from mempool.exchanges.oracle import LIMIT, Oracle
from mempool.model.book import BookState, BookUpdate, Connection, Instrument, Proof, Quote

MAX_BUFFERED = 20_000
MAX_CROSSED_NS = 250_000_000
"""Before another snapshot is asked for; twice as long each time that this one is crossed too: then the venue's own book is."""
MOST_CROSSED_NS = 32 * SECOND_NS
UNANSWERED_LIMIT = 3
"""So many requests for a first snapshot without a word in reply are told."""
MAX_QUIET_NS = 5 * SECOND_NS
# A member of an enumeration costs a look-up in its class each time: these three are asked for at every message.
_NEXT, _VERIFIED, _DESYNCED = Continuity.NEXT, Proof.VERIFIED, Proof.DESYNCED

_Best = tuple[int, int, int, int]
"""Key and size of the best bid, and of the best ask."""


class BookKeeper:
    """One symbol's book and its state. Every method that takes `events` adds what is to be said or done."""

    def __init__(self, instrument: Instrument, exchange: Exchange, counts: Counts, now_ns: int) -> None:
        self.instrument = instrument
        self.book = OrderBook()
        self.state = BookState(Connection.CONNECTING, Proof.DESYNCED, "no snapshot has come", now_ns)
        self.has_synced = False
        """Whether a snapshot has ever been applied."""
        self.heard_ns = now_ns
        """When the last message of this book arrived."""
        self.event_ns = 0
        self.last_id = 0
        self.is_awaiting = True
        """Whether nothing can be applied until a snapshot comes."""
        self._exchange = exchange
        self._counts = counts
        self._continuity = exchange.continuity
        self._verify = exchange.verifier(self.book) if exchange.verifier is not None else None
        self._goes_by_time = exchange.verifier is not None and exchange.continuity is None
        self._proof = Proof.DESYNCED
        self._is_live = False
        self._is_priced = False
        self._said: _Best | None = None
        self._quote: Quote | None = None
        self._buffer: list[BookUpdate] = []
        self._oracle = Oracle(counts)
        self._crossed_ns: int | None = None
        self._crossed_limit_ns = MAX_CROSSED_NS
        self._asking = Asking(exchange, instrument)

    @property
    def is_asking(self) -> bool:
        """Whether a request for a snapshot has not been answered yet."""
        return self.is_awaiting and self._asking.is_waiting

    def receive(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> None:
        """One message of the book."""
        self.heard_ns = recv_ns
        if update.is_snapshot:
            self._load(update, recv_ns, events)
        elif self.is_awaiting:
            self._hold(update, recv_ns, events)
        elif self._goes_by_time and update.event_ns < self.event_ns and update.event_ns:
            # A message that was overtaken can undo a later one, with both checksums right.
            self._counts.gaps += 1
            self.desync("gap", "a message is older than the one before it", recv_ns, events)
        else:
            if self._continuity is not None:
                verdict = self._continuity(self.last_id, update)
                if verdict is not _NEXT:
                    self._out_of_line(verdict, update, recv_ns, events)
                    return
            try:
                if update.decimals is None:
                    self.book.update(update.bids, update.asks)
                else:
                    self.book.update_floats(update.bids, update.asks, update.decimals)
            except BadNumber as problem:
                self.malformed(str(problem), recv_ns, events)
                return
            self.last_id = update.last_id
            self._judge(update, recv_ns, events)

    @property
    def held(self) -> list[BookUpdate]:
        """The updates that wait for a snapshot, oldest first."""
        return self._buffer

    def compare_with(self, ticker: BestQuote) -> None:
        """Remember the venue's own best quote until the book has come as far."""
        self._oracle.hear(ticker)

    def quote(self) -> Quote | None:
        """The best bid and offer as they stand; None where the book may not be priced."""
        return self._quote if self._is_priced else None

    def desync(self, kind: str, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        """The book is lost: nothing of it may be used until the snapshot that is asked for here."""
        self._counts.reasons[kind] += 1
        events.append(Fault(kind, reason, self.instrument, recv_ns))
        self.lose(Proof.DESYNCED, reason, recv_ns, events)

    def lose(self, proof: Proof, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        """The same where the fault was told already; nothing to do where a snapshot is awaited anyhow."""
        if self.is_awaiting:
            # What is held no longer joins up with what comes next: without it the answer must be newer than the loss.
            self._buffer.clear()
            if self._exchange.rest is None and self._asking.asked_ns is not None:
                # It may be the answer itself that was lost.
                self._asking.ask(recv_ns, events)
            return
        self._counts.resyncs += 1
        self.forget()
        self._set(Connection.SYNCING, proof, reason, recv_ns, events)
        self._asking.ask(recv_ns, events)

    def forget(self) -> None:
        """Drop the book and wait for a snapshot."""
        self.is_awaiting = True
        self.book.clear()
        self._buffer.clear()
        self._crossed_ns = None
        self._oracle.forget()

    def malformed(self, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        """A message of this book could not be used."""
        self._counts.malformed += 1
        self.desync("malformed", reason, recv_ns, events)

    def truncate_to(self, depth: int) -> None:
        """The venue says how many levels a side it keeps."""
        if depth and self._exchange.snapshot_depth is not None:
            self.book.truncate_to(depth)

    def doubt(self, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        """Something was heard that may have been of this book: not priced until its next message is proven."""
        if self._is_priced:
            self._set(Connection.LIVE, Proof.SUSPECT, reason, recv_ns, events)

    def connect(self, recv_ns: int, events: list[BookEvent]) -> None:
        """The connection stands and the first subscriptions go out."""
        self._asking.connect(recv_ns)
        self._set(Connection.SYNCING, Proof.DESYNCED, "no snapshot has come", recv_ns, events)

    def disconnect(self, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        """The connection is lost, and the book with it."""
        self.forget()
        self._asking.disconnect()
        self._set(Connection.DOWN, Proof.DESYNCED, reason, recv_ns, events)

    def halt(self, reason: str, recv_ns: int, events: list[BookEvent]) -> None:
        """The venue does not serve this symbol now: it is asked again, at the longest pause."""
        self.forget()
        self._asking.refused(recv_ns)
        self._set(Connection.DOWN, Proof.DESYNCED, reason, recv_ns, events)

    def resume(self, now_ns: int, events: list[BookEvent]) -> None:
        """The venue serves this symbol again."""
        if self.state.connection is Connection.DOWN and self._asking.asked_ns is not None:
            self._set(Connection.SYNCING, Proof.DESYNCED, "no snapshot has come", now_ns, events)
            self._asking.resume(now_ns, events)

    def stale(self, reason: str, now_ns: int, events: list[BookEvent]) -> None:
        """Too long nothing was heard."""
        if self.state.connection is Connection.LIVE and self._proof is not Proof.STALE:
            self._counts.reasons["stale"] += 1
            events.append(Fault("stale", reason, self.instrument, now_ns))
            self._set(Connection.LIVE, Proof.STALE, reason, now_ns, events)

    def revive(self, proof: Proof, now_ns: int, events: list[BookEvent]) -> None:
        """The connection is heard again: as before the silence, and priced again if it was, or suspect until proven."""
        if self._proof is Proof.STALE:
            reason = "nothing has been heard of it since the silence" if proof is Proof.SUSPECT else ""
            self._set(Connection.LIVE, proof, reason, now_ns, events)
            if self._is_priced:
                bids, asks = self.book.bids, self.book.asks
                self._say((bids.top[-1], bids.best_size, asks.top[-1], asks.best_size), events)

    def tick(self, now_ns: int, events: list[BookEvent]) -> None:
        """What time alone brings: a request that is due or was not answered, a crossed book, a quiet one."""
        if self.is_awaiting:
            self._asking.tick(now_ns, events)
            if self._asking.unanswered >= UNANSWERED_LIMIT and not self.has_synced:
                self.explain("the venue does not answer: is it listed there?", now_ns, events)
        elif self._is_crossed_too_long(now_ns):
            self._give_up_crossed(now_ns, events)
        elif self.book.is_too_deep:
            self.malformed("more levels than a book has", now_ns, events)
        elif not self._exchange.heartbeat_ns and now_ns - self.heard_ns > MAX_QUIET_NS:
            self.stale("no update for 5 s", now_ns, events)

    def ask(self, reason: str, now_ns: int, events: list[BookEvent]) -> None:
        """The last request brought no book, and why: another one, when its pause is over."""
        self.explain(reason, now_ns, events)
        self._asking.ask(now_ns, events)

    def ask_again(self, since_ns: int, now_ns: int, events: list[BookEvent]) -> None:
        """Something was heard after a silence that began at `since_ns`, and was not this book's snapshot."""
        if self.is_awaiting and self.has_synced and self._exchange.rest is None:
            self._asking.ask_again(since_ns, now_ns, events)

    def explain(self, reason: str, now_ns: int, events: list[BookEvent]) -> None:
        """Say why there is no book yet, where one is awaited."""
        if self.is_awaiting and self.state.connection is Connection.SYNCING:
            self._set(Connection.SYNCING, self._proof, reason, now_ns, events)

    def _hold(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> None:
        """Before the snapshot: kept where it will be applied on top of one, else of no use."""
        if self._exchange.rest is None:
            if self._continuity is not None and self._continuity(self.last_id, update) is Continuity.RESET:
                self._load(update, recv_ns, events)
            return
        if self._asking.asked_ns is None:
            self._asking.ask(recv_ns, events)
        if len(self._buffer) >= MAX_BUFFERED:
            self._buffer.clear()
            self.desync("overflow", f"{MAX_BUFFERED:,} updates and no snapshot", recv_ns, events)
            self._asking.ask(recv_ns, events)
        self._buffer.append(update)

    def _out_of_line(self, verdict: Continuity, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> None:
        if verdict is Continuity.OLD:
            self._counts.duplicates += 1
        elif verdict is Continuity.RESET:
            self._load(update, recv_ns, events)
        else:
            self._gap(update, recv_ns, events)

    def _gap(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> None:
        self._counts.gaps += 1
        if update.previous_id is not None:
            reason = f"expected the update after {self.last_id}, received the one after {update.previous_id}"
        else:
            reason = f"expected update {self.last_id + 1}, received {update.first_id or update.last_id}"
        self.desync("gap", reason, recv_ns, events)
        if self._exchange.rest is not None:
            self._buffer.append(update)

    def _load(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> None:
        """A snapshot, and what was held for it."""
        if self.is_awaiting:
            self._asking.answered(recv_ns)
        if self._is_too_old(update, recv_ns, events) or not self._is_built(update, recv_ns, events):
            return
        # An answer that was on its way when updates were lost is older than they: only an update that it joins up with proves it.
        is_proven = self._exchange.rest is None or bool(self._buffer)
        held = [each for each in self._buffer if each.last_id > update.last_id]
        self._buffer, self._said = [], None
        self.is_awaiting, self.last_id = False, update.last_id
        for index, each in enumerate(held[:-1], 1):
            if not self._catch_up(each, recv_ns, events):
                self._buffer += held[index:]
                return
        self._crossed_ns, self.has_synced = None, True
        if held:
            self.receive(held[-1], recv_ns, events)
        if not is_proven:
            self._set(Connection.SYNCING, Proof.DESYNCED, "the snapshot waits for its first update", recv_ns, events)
        elif not held or (self.state.connection is not Connection.LIVE and not self.is_awaiting):
            self._judge(update, recv_ns, events)

    def _is_too_old(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> bool:
        if not self._buffer or update.last_id + 1 >= self._buffer[0].first_id:
            return False
        reason = f"the snapshot is of update {update.last_id}, older than the first one held, {self._buffer[0].first_id}"
        self._counts.reasons["an old snapshot"] += 1
        events.append(Fault("unsynced", reason, self.instrument, recv_ns))
        self._asking.ask(recv_ns, events)
        return True

    def _is_built(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> bool:
        was_awaiting, snapshot_depth = self.is_awaiting, self._exchange.snapshot_depth
        levels = max(len(update.bids), len(update.asks), 1)
        try:
            if snapshot_depth is not None and levels > self.book.depth:
                self.book.truncate_to(snapshot_depth(levels))
            self.book.load(update.bids, update.asks)
            problem = "more levels than a book has" if self.book.is_too_deep else ""
        except BadNumber as bad:
            problem = str(bad)
        if problem:
            self.malformed(problem, recv_ns, events)
            if was_awaiting:
                self._asking.ask(recv_ns, events)
        return not problem

    def _catch_up(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> bool:
        """Apply a held update without a word; whether it fitted."""
        if self._continuity is not None and self._continuity(self.last_id, update) is not Continuity.NEXT:
            self._gap(update, recv_ns, events)
            return False
        try:
            if update.decimals is None:
                self.book.update(update.bids, update.asks)
            else:
                self.book.update_floats(update.bids, update.asks, update.decimals)
        except BadNumber as problem:
            self.malformed(str(problem), recv_ns, events)
            return False
        self.last_id = update.last_id
        self._counts.verified += 1
        return True

    def _judge(self, update: BookUpdate, recv_ns: int, events: list[BookEvent]) -> None:
        """After a message was applied: what is the book worth now?"""
        self.event_ns = update.event_ns
        proof = self._proven(update)
        if proof is _DESYNCED:
            self._disproved(recv_ns, events)
            return
        bids, asks = self.book.bids, self.book.asks
        if not bids.top or not asks.top:
            self._crossed_ns = None
            self._set(Connection.LIVE, Proof.SUSPECT, "a side is empty", recv_ns, events)
            return
        bid, ask = bids.top[-1], asks.top[-1]
        if bid + ask >= 0:
            self._crossed(recv_ns, events)
            return
        self._crossed_ns = None
        if proof is not self._proof or not self._is_live:
            reason = "the venue's best quote differs" if proof is Proof.SUSPECT else ""
            self._set(Connection.LIVE, proof, reason, recv_ns, events)
        if self._is_priced:
            best = bid, bids.levels[bid], ask, asks.levels[ask]
            if best != self._said:
                self._say(best, events)

    def _proven(self, update: BookUpdate) -> Proof:
        """By the venue's checksum or numbering, and by its own best quote where that is sent."""
        verify = self._verify
        if verify is not None:
            holds = verify(update)  # also without a checksum: what has changed is of the next one
            if update.checksum is None:
                if not update.last_id:
                    return Proof.UNVERIFIABLE
            elif not holds:
                self._counts.mismatches += 1
                return Proof.DESYNCED
        self._counts.verified += 1
        oracle = self._oracle
        if oracle.has_heard and not update.is_snapshot and not oracle.agrees(self.book, update.last_id):
            return Proof.SUSPECT if oracle.disagreements < LIMIT else Proof.DESYNCED
        return _VERIFIED

    def _disproved(self, recv_ns: int, events: list[BookEvent]) -> None:
        if self._verify is not None:
            self.desync("mismatch", "the checksum does not match", recv_ns, events)
        else:
            self.desync("oracle", "the venue's best quote is another one", recv_ns, events)

    def _say(self, best: _Best, events: list[BookEvent]) -> None:
        """The quote, which is another one than was said last."""
        self._said = bid, bid_size, ask, ask_size = best
        self._quote = quote = Quote(
            self.instrument, bid, bid_size, -ask, ask_size, *self.book.decimals, self._proof, self.heard_ns, self.event_ns
        )
        events.append(quote)

    def _crossed(self, recv_ns: int, events: list[BookEvent]) -> None:
        if self._crossed_ns is None:
            self._crossed_ns = recv_ns
            self._counts.crossings += 1
        self._asking.settled()
        if self._is_crossed_too_long(recv_ns):
            self._give_up_crossed(recv_ns, events)
        else:
            self._set(Connection.LIVE, Proof.SUSPECT, "the book is crossed", recv_ns, events)

    def _is_crossed_too_long(self, now_ns: int) -> bool:
        """Also that another snapshot may be asked for: while it may not, the next update may heal what is there."""
        crossed_ns = self._crossed_ns
        return crossed_ns is not None and now_ns - crossed_ns > self._crossed_limit_ns and self._asking.may_ask(now_ns)

    def _give_up_crossed(self, now_ns: int, events: list[BookEvent]) -> None:
        self._crossed_limit_ns = min(2 * self._crossed_limit_ns, MOST_CROSSED_NS)
        self.desync("crossed", "crossed for more than 250 ms", now_ns, events)

    def _set(self, connection: Connection, proof: Proof, reason: str, now_ns: int, events: list[BookEvent]) -> None:
        state = self.state
        if state.connection is connection and state.proof is proof and state.reason == reason:
            return
        self.state = state = BookState(connection, proof, reason, now_ns)
        self._proof = proof
        self._is_live = connection is Connection.LIVE
        self._is_priced = state.is_priced
        self._said = None
        if state.is_priced:
            self._crossed_limit_ns = MAX_CROSSED_NS
            self._asking.settled()
        events.append(StateChanged(self.instrument, state))
