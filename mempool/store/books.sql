-- What version 2 of the database adds: order books, and the findings in which they take part.
--
-- Amounts, prices and profits are in the assets' own units (1.5 is one ETH and a half), exact as decimal text, beside it a REAL
-- `…_approx`. A quotient that does not end within 36 decimals is rounded down, towards less profit, and has 18.
-- Times are of the receive clock.

-- Findings and near misses. `status` is `open` until the gap is known to have closed; of a cex_dex, and where the run was killed
-- before, it is never known. A finding that is seen again, better, takes the place of its row. Near misses of the same books one soon
-- after the other are one row: the nearest of them, `open` until there has been none for a minute.
CREATE TABLE arbitrages (
    id                     INTEGER PRIMARY KEY,
    run_id                 INTEGER NOT NULL REFERENCES runs (id),
    number                 INTEGER NOT NULL,      -- within the run
    prediction_id          INTEGER REFERENCES predictions (id) ON DELETE CASCADE,   -- of the swap that opens a cex_dex, else NULL
    kind                   TEXT NOT NULL,         -- cross_exchange, triangular, cex_dex
    status                 TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'ended', 'reorged')),
    rejection              TEXT NOT NULL,         -- '' of a finding; of a near miss a word for what it fails by
    note                   TEXT NOT NULL,         -- the rejection in words
    route                  TEXT NOT NULL,         -- 'buy ETH/USDT binance > sell ETH/USD kraken'
    money                  TEXT NOT NULL,         -- what the trades start and end with, and profits are counted in
    gross_profit           TEXT NOT NULL,         -- the most that there would be without the takers' fees and gas
    gross_profit_approx    REAL NOT NULL,
    net_profit             TEXT,                  -- of the trades, after them; NULL where gas has no price in `money`
    net_profit_approx      REAL,
    may_be_more            INTEGER NOT NULL CHECK (may_be_more IN (0, 1)),   -- the trades take all that is known of a book or pool
    profit_eth             REAL,
    profit_usd             REAL,
    legs                   TEXT NOT NULL CHECK (json_valid(legs)),   -- in trade order; a pool's amounts in its tokens' smallest units
    oldest_age_ns          INTEGER,               -- of the books traded on, since their last messages
    lived_ns               INTEGER NOT NULL,      -- how long it gained before fees; of a near miss that has ended in all
    pool                   TEXT,                  -- this and what follows up to `block_number` of a cex_dex only
    standing_profit        TEXT,                  -- what there was before the swap already, after the takers' fees, without gas
    standing_profit_approx REAL,
    gas_units              INTEGER,
    gas_price_wei          TEXT,
    gas_cost               TEXT,                  -- in `money`
    gas_cost_approx        REAL,
    block_number           INTEGER,
    found_ns               INTEGER NOT NULL,      -- when it was found first
    as_of_ns               INTEGER NOT NULL,      -- when it stood as this row shows it
    ended_ns               INTEGER,
    found                  TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', found_ns / 1e9, 'unixepoch')) VIRTUAL,
    ended                  TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch')) VIRTUAL,
    UNIQUE (run_id, number)
) STRICT;
CREATE INDEX arbitrages_findings ON arbitrages (id) WHERE rejection = '';
CREATE INDEX arbitrages_by_time ON arbitrages (found_ns);
CREATE INDEX arbitrages_by_kind ON arbitrages (kind, rejection, found_ns);
CREATE INDEX arbitrages_by_profit ON arbitrages (profit_eth);
CREATE INDEX arbitrages_by_prediction ON arbitrages (prediction_id);

-- The best bid and offer of one book as they stood, one row in each interval in which the book could be priced.
CREATE TABLE quotes (
    id              INTEGER PRIMARY KEY,
    run_id          INTEGER NOT NULL REFERENCES runs (id),
    venue           TEXT NOT NULL,
    symbol          TEXT NOT NULL,                -- the venue's own name of the market
    pair            TEXT NOT NULL,                -- 'ETH/USDT': the same at every venue
    bid             TEXT NOT NULL,
    bid_approx      REAL NOT NULL,
    bid_size        TEXT NOT NULL,
    bid_size_approx REAL NOT NULL,
    ask             TEXT NOT NULL,
    ask_approx      REAL NOT NULL,
    ask_size        TEXT NOT NULL,
    ask_size_approx REAL NOT NULL,
    proof           TEXT NOT NULL,                -- verified, or unverifiable where the venue sends nothing to verify it by
    recv_ns         INTEGER NOT NULL,
    event_ns        INTEGER,                      -- by the venue's clock; NULL where it does not say
    recv            TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', recv_ns / 1e9, 'unixepoch')) VIRTUAL
) STRICT;
CREATE INDEX quotes_by_time ON quotes (recv_ns);
CREATE INDEX quotes_by_pair ON quotes (pair, venue, recv_ns);

-- The best over the venues as it stood, one row in each interval; bid and ask are NULL where no book could be priced.
CREATE TABLE best_quotes (
    id              INTEGER PRIMARY KEY,
    run_id          INTEGER NOT NULL REFERENCES runs (id),
    pair            TEXT NOT NULL,
    after_fees      INTEGER NOT NULL CHECK (after_fees IN (0, 1)),
    bid             TEXT,
    bid_approx      REAL,
    bid_size        TEXT,                         -- of all books together at that price
    bid_size_approx REAL,
    bid_venues      TEXT NOT NULL,                -- 'binance, kraken': whose the size is
    ask             TEXT,
    ask_approx      REAL,
    ask_size        TEXT,
    ask_size_approx REAL,
    ask_venues      TEXT NOT NULL,
    market          TEXT NOT NULL,                -- empty, open, locked, crossed
    since_ns        INTEGER NOT NULL,             -- since when it is so
    oldest_age_ns   INTEGER NOT NULL,             -- of the quotes in it
    left_out        TEXT NOT NULL CHECK (json_valid(left_out)),   -- the books that could not be priced: venue, symbol, reason
    now_ns          INTEGER NOT NULL,
    now             TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', now_ns / 1e9, 'unixepoch')) VIRTUAL
) STRICT;
CREATE INDEX best_quotes_by_time ON best_quotes (now_ns);
CREATE INDEX best_quotes_by_pair ON best_quotes (pair, now_ns);

-- Times in which a book could not be priced, and messages of venues that could not be used. `to_ns` is NULL until the book is priced
-- again (or for good, where its run ended before); a fault that cost no price ends where it began.
CREATE TABLE book_gaps (
    id      INTEGER PRIMARY KEY,
    run_id  INTEGER NOT NULL REFERENCES runs (id),
    number  INTEGER NOT NULL,                     -- within the run
    venue   TEXT NOT NULL,
    symbol  TEXT NOT NULL,                        -- '' where it concerns the whole connection
    kind    TEXT NOT NULL,                        -- gap, mismatch, oracle, malformed …; else the new state of the connection or the proof
    reason  TEXT NOT NULL,
    from_ns INTEGER NOT NULL,
    to_ns   INTEGER,
    began   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', from_ns / 1e9, 'unixepoch')) VIRTUAL,
    ended   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', to_ns / 1e9, 'unixepoch')) VIRTUAL,
    UNIQUE (run_id, number)
) STRICT;
CREATE INDEX book_gaps_by_time ON book_gaps (from_ns);
CREATE INDEX book_gaps_by_book ON book_gaps (venue, symbol, from_ns);
CREATE INDEX book_gaps_by_end ON book_gaps (to_ns);

-- What `mempool tail` prints and `--where` filters of these. `kind` is near_miss where something rejects it; what it is one of says
-- `arbitrage`.
CREATE VIEW book_findings AS
SELECT a.id, iif(a.rejection = '', a.kind, 'near_miss') AS kind, a.kind AS arbitrage, a.found_ns AS at_ns, a.found AS at,
       t.hash, t.sender, t.router, t.state, i.intent_index, a.rejection, a.note, a.status, a.route, a.money,
       a.gross_profit AS gross_profit_exact, a.net_profit AS net_profit_exact, a.standing_profit AS standing_profit_exact,
       a.gross_profit_approx AS gross_profit, a.net_profit_approx AS net_profit, a.standing_profit_approx AS standing_profit,
       a.profit_eth, a.profit_usd, a.may_be_more, a.legs, a.lived_ns / 1e6 AS lived_ms, a.oldest_age_ns / 1e6 AS oldest_age_ms,
       a.as_of_ns, a.ended_ns, a.pool,
       (SELECT h.protocol FROM hops h WHERE h.prediction_id = a.prediction_id AND h.pool = a.pool) AS protocol,
       a.gas_units, a.gas_price_wei, a.gas_cost AS gas_cost_exact, a.gas_cost_approx AS gas_cost, a.block_number, p.block_hash
FROM arbitrages a
LEFT JOIN predictions p ON p.id = a.prediction_id
LEFT JOIN intents i ON i.id = p.intent_id
LEFT JOIN transactions t ON t.id = i.transaction_id;

-- Times without a book's price, those that last once they are ten seconds old.
CREATE VIEW book_silences AS
SELECT g.id, g.run_id, 'gap' AS kind, coalesce(g.to_ns, g.from_ns) AS at_ns, coalesce(g.ended, g.began) AS at,
       rtrim(g.venue || ' ' || g.symbol) AS source, g.venue, g.symbol, g.from_ns, g.to_ns, g.kind AS fault, g.reason
FROM book_gaps g
JOIN runs r ON r.id = g.run_id
WHERE g.to_ns > g.from_ns OR (g.to_ns IS NULL AND r.heard_until_ns - g.from_ns >= 10000000000);
