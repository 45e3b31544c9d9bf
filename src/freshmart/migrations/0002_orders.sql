-- What was asked, what was answered, what moved, and what is still to be done about it.
-- No foreign keys here: each would cost a trigger per row on the hottest path; the audit counts the orphans instead.

CREATE TABLE orders (
    id           uuid PRIMARY KEY,
    key          text NOT NULL,
    store        integer NOT NULL,
    shadow       boolean NOT NULL,
    status       text NOT NULL CHECK (status IN ('accepted', 'confirmed')),
    total_fen    bigint NOT NULL CHECK (total_fen > 0),
    placed_at    timestamptz NOT NULL,
    confirmed_at timestamptz
) WITH (fillfactor = 80);

CREATE TABLE order_line (
    order_id       uuid NOT NULL,
    sku            integer NOT NULL,
    quantity       integer NOT NULL CHECK (quantity > 0),
    unit_price_fen integer NOT NULL CHECK (unit_price_fen > 0),
    PRIMARY KEY (order_id, sku)
);

-- The ledger: every piece that left a shelf, and why.
CREATE TABLE stock_movement (
    store    integer NOT NULL,
    sku      integer NOT NULL,
    shadow   boolean NOT NULL,
    delta    integer NOT NULL,
    order_id uuid NOT NULL,
    moved_at timestamptz NOT NULL
);

-- The answer that a key was given: accepted or declined, kept in the order's own transaction.
CREATE TABLE idempotency (
    key         text PRIMARY KEY,
    fingerprint bytea NOT NULL,
    status      smallint NOT NULL,
    answer      text NOT NULL,
    answered_at timestamptz NOT NULL
);

-- Accepted orders whose effects are still to come. The row goes in the transaction that applies them.
CREATE TABLE outbox (
    order_id  uuid PRIMARY KEY,
    placed_at timestamptz NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

CREATE TABLE store_sales (
    store     integer NOT NULL,
    shadow    boolean NOT NULL,
    minute    timestamptz NOT NULL,
    orders    bigint NOT NULL,
    total_fen bigint NOT NULL,
    PRIMARY KEY (store, shadow, minute)
) WITH (fillfactor = 50);

-- Messages that could not be understood, for a person to look at.
CREATE TABLE dead_letter (
    message_id text PRIMARY KEY,
    body       bytea NOT NULL,
    reason     text NOT NULL,
    died_at    timestamptz NOT NULL DEFAULT now()
);
