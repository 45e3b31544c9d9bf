-- What makes shopping pleasant and what the shop can do without.

-- What real baskets held beside a product, most often first.
CREATE TABLE bought_together (
    sku      integer NOT NULL,
    other    integer NOT NULL,
    together integer NOT NULL CHECK (together > 0),
    PRIMARY KEY (sku, other)
);

CREATE TABLE review (
    sku        integer NOT NULL,
    n          smallint NOT NULL,
    stars      smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    text       text NOT NULL,
    author     text NOT NULL,
    written_on date NOT NULL,
    PRIMARY KEY (sku, n)
);

CREATE TABLE banner (
    banner   text PRIMARY KEY,
    title    text NOT NULL,
    category text NOT NULL REFERENCES category,
    rank     smallint NOT NULL
);

-- Two hours each, from `hour` on; so many deliveries fit into one.
CREATE TABLE delivery_slot (
    store      integer NOT NULL,
    hour       smallint NOT NULL CHECK (hour BETWEEN 0 AND 22),
    deliveries integer NOT NULL CHECK (deliveries > 0),
    PRIMARY KEY (store, hour)
);

-- A store's newest orders; ids ascend with time.
CREATE INDEX orders_of_store ON orders (store, shadow, id DESC);
