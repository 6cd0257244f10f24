-- The database of `mempool run` as its version 1 made it; version 2 adds what `books.sql` holds. Tables and views are stable:
-- a later release adds, and migrates what it changes.
--
-- Addresses and hashes are `0x` and lower-case hex digits. Amounts are in a token's smallest unit: exact as decimal text,
-- beside it a REAL `…_approx` that sorts and compares. Times are nanoseconds since the epoch, beside them readable UTC text.
-- Rows come in the order in which things were heard, so a replay of the same capture gives the same ids.

-- One run of the engine. `ended` is NULL while it lasts; a run that was killed is marked `unclean` by the next one.
CREATE TABLE runs (
    id             INTEGER PRIMARY KEY,
    started_ns     INTEGER NOT NULL,
    ended_ns       INTEGER,
    ended          TEXT CHECK (ended IN ('clean', 'signal', 'failed', 'unclean')),
    heard_until_ns INTEGER,                       -- the newest time in any row of this run
    version        TEXT NOT NULL,
    chain_id       INTEGER NOT NULL,
    sources        TEXT NOT NULL CHECK (json_valid(sources)),                  -- names of the nodes
    counters       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(counters)),    -- seen, foreign, dropped …
    started        TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', started_ns / 1e9, 'unixepoch')) VIRTUAL
) STRICT;

-- A time in which nothing was heard from a source, or nothing could be stored. `backfilled` counts what was fetched later.
CREATE TABLE gaps (
    id         INTEGER PRIMARY KEY,
    run_id     INTEGER NOT NULL REFERENCES runs (id),
    source     TEXT NOT NULL,
    from_ns    INTEGER NOT NULL,
    to_ns      INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    backfilled INTEGER NOT NULL
) STRICT;

-- Tokens as the configuration lists them, else as they describe themselves (sanitised). Identity is the address, never the symbol.
CREATE TABLE tokens (
    id       INTEGER PRIMARY KEY,
    address  TEXT NOT NULL UNIQUE,
    symbol   TEXT NOT NULL,                       -- '' where it has none
    decimals INTEGER,                             -- NULL where it does not say, or beyond reason: then it is not priced
    unit     REAL,                                -- 10 to the power of `decimals`: amount_approx / unit is what people read
    listed   INTEGER NOT NULL CHECK (listed IN (0, 1)),
    wraps    TEXT NOT NULL                        -- the native token's symbol where this is its wrapper
) STRICT;

-- What people call the factories (`protocol`) and routers of the configuration.
CREATE TABLE labels (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- Transactions to listed routers, one row per hash for good.
CREATE TABLE transactions (
    id                           INTEGER PRIMARY KEY,
    run_id                       INTEGER NOT NULL REFERENCES runs (id),
    hash                         TEXT NOT NULL UNIQUE,
    sender                       TEXT NOT NULL,
    to_address                   TEXT,
    nonce                        INTEGER NOT NULL,
    value_wei                    TEXT NOT NULL,
    value_eth                    REAL NOT NULL,
    gas_limit                    INTEGER NOT NULL,
    max_fee_per_gas_wei          TEXT NOT NULL,
    max_priority_fee_per_gas_wei TEXT NOT NULL,
    router                       TEXT NOT NULL,
    selector                     TEXT NOT NULL,
    commands                     TEXT NOT NULL CHECK (json_valid(commands)),   -- every function and command in it, in order
    completeness                 TEXT NOT NULL,   -- how much of the call is known
    reason                       TEXT NOT NULL,   -- why not all of it
    extra_bytes                  INTEGER NOT NULL,
    first_seen_ns                INTEGER NOT NULL,
    first_source                 TEXT NOT NULL,
    state                        TEXT NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'included', 'replaced', 'vanished', 'dropped')),
    state_reason                 TEXT NOT NULL DEFAULT '',
    replaced_by                  TEXT,
    block_number                 INTEGER,
    block_hash                   TEXT,
    transaction_index            INTEGER,
    succeeded                    INTEGER CHECK (succeeded IN (0, 1)),
    first_seen                   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', first_seen_ns / 1e9, 'unixepoch')) VIRTUAL
) STRICT;
CREATE INDEX transactions_by_time ON transactions (first_seen_ns);
CREATE INDEX transactions_by_sender ON transactions (sender, nonce);
CREATE INDEX transactions_by_router ON transactions (router);
CREATE INDEX transactions_by_block ON transactions (block_number, block_hash);
CREATE INDEX transactions_pending ON transactions (id) WHERE state = 'pending';

-- Which source showed a transaction when; the first one stands in its row too.
CREATE TABLE sightings (
    transaction_id INTEGER NOT NULL REFERENCES transactions (id) ON DELETE CASCADE,
    source         TEXT NOT NULL,
    recv_ns        INTEGER NOT NULL,
    PRIMARY KEY (transaction_id, source)
) STRICT, WITHOUT ROWID;

-- The swaps that a transaction asks for. `amount` is sold (exact_in), bought (exact_out) or held (balance_in);
-- `limit_amount` is the least to receive, or for exact_out the most to pay.
CREATE TABLE intents (
    id                   INTEGER PRIMARY KEY,
    transaction_id       INTEGER NOT NULL REFERENCES transactions (id) ON DELETE CASCADE,
    intent_index         INTEGER NOT NULL,
    router               TEXT NOT NULL,
    function             TEXT NOT NULL,
    protocols            TEXT NOT NULL,           -- of the hops, once each, in order: 'uniswap_v2, uniswap_v3'
    path                 TEXT NOT NULL,           -- token addresses in trade order, '>' between them
    token_in             TEXT,
    token_out            TEXT,
    hops                 TEXT NOT NULL CHECK (json_valid(hops)),
    size                 TEXT NOT NULL CHECK (size IN ('exact_in', 'exact_out', 'balance_in')),
    amount               TEXT NOT NULL,
    amount_approx        REAL NOT NULL,
    limit_amount         TEXT NOT NULL,
    limit_amount_approx  REAL NOT NULL,
    pays_forward         INTEGER NOT NULL CHECK (pays_forward IN (0, 1)),
    balance_sources      TEXT NOT NULL CHECK (json_valid(balance_sources)),    -- indexes of the intents that feed balance_in
    recipient            TEXT NOT NULL,
    deadline             TEXT,                    -- unix seconds, up to 78 digits: callers write what they like
    sqrt_price_limit_x96 TEXT NOT NULL,
    revert_scopes        TEXT NOT NULL CHECK (json_valid(revert_scopes)),      -- numbers of the parts of the call that may fail alone
    measures_received    INTEGER NOT NULL CHECK (measures_received IN (0, 1)),
    completeness         TEXT NOT NULL,
    reason               TEXT NOT NULL,
    missed               TEXT,                    -- why it could not be simulated
    UNIQUE (transaction_id, intent_index)
) STRICT;
CREATE INDEX intents_by_token_in ON intents (token_in);
CREATE INDEX intents_by_token_out ON intents (token_out);

-- What an intent would do on the state after a block. `reverts` is '' or says why; balances and allowances are not looked at.
CREATE TABLE predictions (
    id                 INTEGER PRIMARY KEY,
    intent_id          INTEGER NOT NULL REFERENCES intents (id) ON DELETE CASCADE,
    block_number       INTEGER NOT NULL,
    block_hash         TEXT NOT NULL,
    parent_hash        TEXT NOT NULL,
    block_timestamp    INTEGER NOT NULL,
    base_fee_wei       TEXT NOT NULL,
    amount_in          TEXT NOT NULL,
    amount_in_approx   REAL NOT NULL,
    amount_out         TEXT NOT NULL,
    amount_out_approx  REAL NOT NULL,
    reverts            TEXT NOT NULL,
    impact_with_fee    REAL,                      -- over the whole path; 0.01 is 1 %
    impact_without_fee REAL,
    late_ns            INTEGER NOT NULL,          -- how long it waited for pool state after its first sighting
    predicted_ns       INTEGER NOT NULL,
    predicted          TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', predicted_ns / 1e9, 'unixepoch')) VIRTUAL,
    UNIQUE (intent_id, block_hash)
) STRICT;
CREATE INDEX predictions_by_time ON predictions (predicted_ns);
CREATE INDEX predictions_by_block ON predictions (block_hash);

-- The hops of a prediction, in trade order. `before` and `after` hold the pool's own numbers (reserves; price, tick, liquidity).
CREATE TABLE hops (
    prediction_id      INTEGER NOT NULL REFERENCES predictions (id) ON DELETE CASCADE,
    hop_index          INTEGER NOT NULL,
    protocol           TEXT NOT NULL,
    kind               TEXT NOT NULL,
    pool               TEXT NOT NULL,
    token_in           TEXT NOT NULL,
    token_out          TEXT NOT NULL,
    fee_pips           INTEGER NOT NULL,
    amount_in          TEXT NOT NULL,
    amount_in_approx   REAL NOT NULL,
    amount_out         TEXT NOT NULL,
    amount_out_approx  REAL NOT NULL,
    mid_numerator      TEXT NOT NULL,             -- price before: token out for one token in, smallest units
    mid_denominator    TEXT NOT NULL,
    impact_with_fee    REAL NOT NULL,
    impact_without_fee REAL NOT NULL,
    before             TEXT NOT NULL CHECK (json_valid(before)),
    after              TEXT NOT NULL CHECK (json_valid(after)),
    PRIMARY KEY (prediction_id, hop_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX hops_by_pool ON hops (pool);

-- What the mined block made of a hop of a prediction. Errors are mined minus simulated; NULL where there is nothing to compare.
CREATE TABLE outcomes (
    id                          INTEGER PRIMARY KEY,
    prediction_id               INTEGER NOT NULL REFERENCES predictions (id) ON DELETE CASCADE,
    hop_index                   INTEGER NOT NULL,
    block_number                INTEGER NOT NULL,
    block_hash                  TEXT NOT NULL,
    mined_amount_in             TEXT,
    mined_amount_in_approx      REAL,
    mined_amount_out            TEXT,
    mined_amount_out_approx     REAL,
    error_as_predicted          TEXT,
    error_as_predicted_approx   REAL,
    error_in_block_order        TEXT,
    error_in_block_order_approx REAL,
    cause                       TEXT NOT NULL,
    moved_by                    TEXT NOT NULL CHECK (json_valid(moved_by)),    -- hashes, where the cause is moved_ahead
    revert                      TEXT NOT NULL CHECK (revert IN ('', 'right', 'missed', 'false_alarm')),
    reorged                     INTEGER NOT NULL DEFAULT 0 CHECK (reorged IN (0, 1)),
    graded_ns                   INTEGER NOT NULL,
    graded                      TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', graded_ns / 1e9, 'unixepoch')) VIRTUAL,
    UNIQUE (prediction_id, hop_index, block_hash)
) STRICT;
CREATE INDEX outcomes_by_cause ON outcomes (cause);
CREATE INDEX outcomes_by_block ON outcomes (block_hash);

-- Findings. Profits are in `profit_token`; `net_profit` is NULL where gas has no price in it. `bound` says what the figure is.
CREATE TABLE opportunities (
    id                  INTEGER PRIMARY KEY,
    prediction_id       INTEGER NOT NULL REFERENCES predictions (id) ON DELETE CASCADE,
    kind                TEXT NOT NULL,
    bound               TEXT NOT NULL CHECK (bound IN ('exact', 'upper_bound', 'state_unknown')),
    status              TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'reorged')),
    profit_token        TEXT NOT NULL,
    gross_profit        TEXT NOT NULL,
    gross_profit_approx REAL NOT NULL,
    net_profit          TEXT,
    net_profit_approx   REAL,
    profit_eth          REAL,
    profit_usd          REAL,
    legs                TEXT NOT NULL CHECK (json_valid(legs)),
    gas_units           INTEGER NOT NULL,
    gas_price_wei       TEXT NOT NULL,
    block_number        INTEGER NOT NULL,
    note                TEXT NOT NULL,
    found_ns            INTEGER NOT NULL,
    found               TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%fZ', found_ns / 1e9, 'unixepoch')) VIRTUAL
) STRICT;
CREATE INDEX opportunities_by_prediction ON opportunities (prediction_id, kind);
CREATE INDEX opportunities_by_kind ON opportunities (kind, found_ns);
CREATE INDEX opportunities_by_profit ON opportunities (profit_eth);

-- What `mempool tail` prints and `--where` filters, one view per group of kinds.
-- Here amounts without `_exact` are in whole tokens (NULL where the decimals are not known).
CREATE VIEW swaps AS
SELECT p.id, 'swap' AS kind, p.predicted_ns AS at_ns, p.predicted AS at, t.hash, t.sender, t.nonce, t.value_eth, t.router, t.state,
       t.commands, i.intent_index, i.function, i.protocols, i.path, i.token_in, i.token_out,
       token_in.symbol AS symbol_in, token_out.symbol AS symbol_out, i.size, i.amount AS size_exact, i.limit_amount AS limit_exact,
       p.amount_in AS amount_in_exact, p.amount_out AS amount_out_exact,
       p.amount_in_approx / token_in.unit AS amount_in, p.amount_out_approx / token_out.unit AS amount_out,
       p.impact_with_fee AS impact, p.impact_without_fee, p.reverts, p.late_ns / 1e6 AS late_ms, p.block_number, p.block_hash,
       i.recipient, i.completeness, t.first_seen_ns, t.first_source,
       (SELECT max(o.profit_eth) FROM opportunities o
        WHERE o.prediction_id = p.id AND o.kind = 'sandwich_exposure' AND o.status = 'open') AS exposed_eth,
       (SELECT max(o.profit_usd) FROM opportunities o
        WHERE o.prediction_id = p.id AND o.kind = 'sandwich_exposure' AND o.status = 'open') AS exposed_usd,
       (SELECT o.bound FROM opportunities o
        WHERE o.prediction_id = p.id AND o.kind = 'sandwich_exposure' AND o.status = 'open'
        ORDER BY o.profit_eth DESC LIMIT 1) AS exposed_bound
FROM predictions p
JOIN intents i ON i.id = p.intent_id
JOIN transactions t ON t.id = i.transaction_id
LEFT JOIN tokens token_in ON token_in.address = i.token_in
LEFT JOIN tokens token_out ON token_out.address = i.token_out;

CREATE VIEW findings AS
SELECT o.id, o.kind, o.found_ns AS at_ns, o.found AS at, t.hash, t.sender, t.router, t.state, i.intent_index, i.protocols,
       o.bound, o.status, o.profit_token, profit_token.symbol AS profit_symbol,
       o.gross_profit AS gross_profit_exact, o.net_profit AS net_profit_exact,
       o.gross_profit_approx / profit_token.unit AS gross_profit, o.net_profit_approx / profit_token.unit AS net_profit,
       o.profit_eth, o.profit_usd, o.legs, o.gas_units, o.gas_price_wei, o.block_number, p.block_hash, o.note
FROM opportunities o
JOIN predictions p ON p.id = o.prediction_id
JOIN intents i ON i.id = p.intent_id
JOIN transactions t ON t.id = i.transaction_id
LEFT JOIN tokens profit_token ON profit_token.address = o.profit_token;

CREATE VIEW grades AS
SELECT c.id, 'outcome' AS kind, c.graded_ns AS at_ns, c.graded AS at, t.hash, t.sender, t.router, i.intent_index, c.hop_index,
       json_extract(i.hops, '$[' || c.hop_index || '].kind') AS family,
       json_extract(i.hops, '$[' || c.hop_index || '].protocol') AS protocol,
       json_extract(i.hops, '$[' || c.hop_index || '].pool') AS pool,
       json_extract(i.hops, '$[' || c.hop_index || '].token_in') AS token_in,
       json_extract(i.hops, '$[' || c.hop_index || '].token_out') AS token_out,
       i.size, h.amount_in AS amount_in_exact, h.amount_out AS amount_out_exact,
       c.mined_amount_in AS mined_amount_in_exact, c.mined_amount_out AS mined_amount_out_exact,
       c.error_as_predicted, c.error_in_block_order,
       -- relative to what was simulated: the amount out, or for exact_out the amount in
       abs(c.error_as_predicted_approx)
           / nullif(CASE i.size WHEN 'exact_out' THEN h.amount_in_approx ELSE h.amount_out_approx END, 0) AS relative_error,
       c.cause, c.moved_by, c.revert, p.reverts, c.reorged, c.block_number, c.block_hash, p.block_number AS predicted_on_block
FROM outcomes c
JOIN predictions p ON p.id = c.prediction_id
JOIN intents i ON i.id = p.intent_id
JOIN transactions t ON t.id = i.transaction_id
LEFT JOIN hops h ON h.prediction_id = c.prediction_id AND h.hop_index = c.hop_index;

-- Times without data: what a run reported, and the time between two runs.
CREATE VIEW silences AS
SELECT g.id, 'gap' AS kind, g.to_ns AS at_ns, strftime('%Y-%m-%dT%H:%M:%fZ', g.to_ns / 1e9, 'unixepoch') AS at,
       g.source, g.from_ns, g.to_ns, g.reason, g.backfilled
FROM gaps g;

CREATE VIEW restarts AS
SELECT r.id, 'gap' AS kind, r.started_ns AS at_ns, r.started AS at, 'mempool' AS source,
       coalesce(before.ended_ns, before.heard_until_ns, before.started_ns) AS from_ns, r.started_ns AS to_ns,
       'the run before ended: ' || coalesce(before.ended, 'not yet') AS reason, 0 AS backfilled
FROM runs r
JOIN runs before ON before.id = r.id - 1
WHERE r.started_ns > coalesce(before.ended_ns, before.heard_until_ns, before.started_ns);
