-- Whether an order's money is secured, and what customers see of past orders.

-- authorised: before it was placed; deferred: accepted without; collected: deferred, and taken later.
ALTER TABLE orders
    ADD COLUMN payment text NOT NULL DEFAULT 'deferred' CHECK (payment IN ('authorised', 'deferred', 'collected')),
    ADD COLUMN authorisation text CHECK ((authorisation IS NULL) = (payment = 'deferred'));

-- Empty on a good day, so that looking costs nothing.
CREATE INDEX orders_deferred ON orders (id) WHERE payment = 'deferred';
