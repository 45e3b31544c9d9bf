-- What is sold, where, and for how much. Money is integer fen, weight integer grams.

CREATE TABLE category (
    slug       text PRIMARY KEY,
    title      text NOT NULL,
    department text NOT NULL
);

CREATE TABLE product (
    sku            integer PRIMARY KEY,
    name           text NOT NULL,
    category       text NOT NULL REFERENCES category,
    brand          text NOT NULL,
    package        text NOT NULL,
    weight_g       integer CHECK (weight_g > 0),
    list_price_fen integer NOT NULL CHECK (list_price_fen > 0),
    popularity     integer NOT NULL,  -- baskets of the source that held it
    picture        text NOT NULL      -- its key in the object store
);
CREATE INDEX product_by_category ON product (category, popularity DESC, sku);

CREATE TABLE store (
    store integer PRIMARY KEY,
    name  text NOT NULL
);

-- A price is never changed: a new one is announced, with a valid_from that lies ahead, so that what an order was
-- charged can be compared with the price that was in force when it was placed.
CREATE TABLE price (
    store          integer NOT NULL,
    sku            integer NOT NULL,
    valid_from     timestamptz NOT NULL,
    unit_price_fen integer NOT NULL CHECK (unit_price_fen > 0),
    PRIMARY KEY (store, sku, valid_from)
);

-- One shelf for each store and product, twice: the real lane and the shadow lane, which test orders alone touch.
-- Pages keep a fifth free, so that a sale is an update within its page and touches no index.
CREATE TABLE stock (
    store   integer NOT NULL,
    sku     integer NOT NULL,
    shadow  boolean NOT NULL,
    opening integer NOT NULL CHECK (opening >= 0),
    on_hand integer NOT NULL CHECK (on_hand >= 0),
    PRIMARY KEY (store, sku, shadow)
) WITH (fillfactor = 80);
