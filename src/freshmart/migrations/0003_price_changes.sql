-- Prices that have come into force and of which the caches have not been told yet: what the worker tells, it deletes.
CREATE TABLE price_change (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    store integer NOT NULL,
    sku   integer NOT NULL
);
