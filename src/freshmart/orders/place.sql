-- Places a whole batch of orders in one round trip. No key stands in a batch twice.
--   $1 keys, $2 fingerprints, $3 stores, $4 shadow lane or real: one element for each order, in order of arrival
--   $5 the order a line belongs to (1 is the first), $6 SKUs, $7 quantities: one element for each line
--   $8 authorisations of the orders' money, empty where it is deferred: one element for each order
-- Answers one row for each order: n, outcome, HTTP status, the answer's JSON. `again` means: not decided, ask again.
WITH asked AS MATERIALIZED (
    SELECT *
    FROM unnest($1::text[], $2::bytea[], $3::integer[], $4::boolean[], $8::text[])
        WITH ORDINALITY AS asked (key, fingerprint, store, shadow, authorisation, n)
),
answered AS MATERIALIZED (
    SELECT asked.n, idempotency.fingerprint = asked.fingerprint AS same, idempotency.status, idempotency.answer
    FROM asked JOIN idempotency USING (key)
),
line AS MATERIALIZED (
    SELECT asked.n, asked.store, asked.shadow, line.i, line.sku, line.quantity, price.unit_price_fen
    FROM unnest($5::bigint[], $6::integer[], $7::integer[]) WITH ORDINALITY AS line (n, sku, quantity, i)
    JOIN asked USING (n)
    LEFT JOIN LATERAL (
        SELECT unit_price_fen
        FROM price
        WHERE price.store = asked.store AND price.sku = line.sku AND price.valid_from <= now()
        ORDER BY price.valid_from DESC
        LIMIT 1
    ) AS price ON true
    WHERE NOT EXISTS (SELECT FROM answered WHERE answered.n = asked.n)
),
-- Locked in one order by every batch, so that two batches cannot wait for each other.
shelf AS MATERIALIZED (
    SELECT stock.store, stock.sku, stock.shadow, stock.on_hand
    FROM stock JOIN (SELECT DISTINCT store, sku, shadow FROM line) AS named USING (store, sku, shadow)
    ORDER BY stock.store, stock.sku, stock.shadow
    FOR NO KEY UPDATE OF stock
),
-- Orders that arrived earlier are served earlier: a line must fit beside all that stand before it.
weighed AS MATERIALIZED (
    SELECT line.*, shelf.on_hand,
        sum(line.quantity) OVER (PARTITION BY line.store, line.sku, line.shadow ORDER BY line.n) AS wanted
    FROM line LEFT JOIN shelf USING (store, sku, shadow)
),
-- One that would fit alone and not beside the others is asked again: those before it may be declined themselves.
decided AS MATERIALIZED (
    SELECT n, uuidv7() AS id,
        CASE
            WHEN bool_or(unit_price_fen IS NULL OR on_hand IS NULL) THEN 'unknown'
            WHEN bool_or(quantity > on_hand) THEN 'declined'
            WHEN bool_or(wanted > on_hand) THEN 'again'
            ELSE 'accepted'
        END AS outcome,
        sum(quantity::bigint * unit_price_fen) AS total_fen,
        json_agg(json_build_object('sku', sku, 'quantity', quantity, 'unit_price_fen', unit_price_fen) ORDER BY i)
            AS lines,
        json_agg(sku ORDER BY i) FILTER (WHERE quantity > on_hand) AS sold_out,
        json_agg(sku ORDER BY i) FILTER (WHERE unit_price_fen IS NULL OR on_hand IS NULL) AS unknown
    FROM weighed
    GROUP BY n
),
told AS MATERIALIZED (
    SELECT asked.n, asked.key, asked.fingerprint, asked.store, asked.shadow, asked.authorisation, decided.id,
        decided.outcome, decided.total_fen,
        CASE decided.outcome WHEN 'accepted' THEN 201 WHEN 'declined' THEN 409 WHEN 'unknown' THEN 422 END AS status,
        CASE decided.outcome
            WHEN 'accepted' THEN json_build_object(
                'id', decided.id, 'status', 'accepted', 'store', asked.store, 'shadow', asked.shadow,
                'payment', CASE asked.authorisation WHEN '' THEN 'deferred' ELSE 'authorised' END,
                'total_fen', decided.total_fen, 'lines', decided.lines)
            WHEN 'declined' THEN json_build_object(
                'error', 'sold-out', 'status', 'declined', 'store', asked.store, 'skus', decided.sold_out)
            WHEN 'unknown' THEN json_build_object(
                'error', 'unknown-product', 'store', asked.store, 'skus', decided.unknown)
        END::text AS answer
    FROM decided JOIN asked USING (n)
),
-- Whoever stores a key first has decided it; a batch that comes second asks again and finds the answer.
claimed AS (
    INSERT INTO idempotency (key, fingerprint, status, answer, answered_at)
    SELECT key, fingerprint, status, answer, now()
    FROM told
    WHERE outcome IN ('accepted', 'declined')
    ORDER BY key
    ON CONFLICT (key) DO NOTHING
    RETURNING key
),
accepted AS MATERIALIZED (
    SELECT told.* FROM told JOIN claimed USING (key) WHERE told.outcome = 'accepted'
),
piece AS MATERIALIZED (
    SELECT accepted.id, weighed.store, weighed.shadow, weighed.sku, weighed.quantity, weighed.unit_price_fen
    FROM weighed JOIN accepted USING (n)
),
taken AS (
    UPDATE stock SET on_hand = stock.on_hand - sold.quantity
    FROM (
        SELECT store, sku, shadow, sum(quantity)::integer AS quantity FROM piece GROUP BY store, sku, shadow
    ) AS sold
    WHERE stock.store = sold.store AND stock.sku = sold.sku AND stock.shadow = sold.shadow
),
headed AS (
    INSERT INTO orders (id, key, store, shadow, status, total_fen, placed_at, payment, authorisation)
    SELECT id, key, store, shadow, 'accepted', total_fen, now(),
        CASE authorisation WHEN '' THEN 'deferred' ELSE 'authorised' END, nullif(authorisation, '')
    FROM accepted
),
lined AS (
    INSERT INTO order_line (order_id, sku, quantity, unit_price_fen)
    SELECT id, sku, quantity, unit_price_fen FROM piece
),
moved AS (
    INSERT INTO stock_movement (store, sku, shadow, delta, order_id, moved_at)
    SELECT store, sku, shadow, -quantity, id, now() FROM piece
),
posted AS (
    INSERT INTO outbox (order_id, placed_at) SELECT id, now() FROM accepted
)
SELECT asked.n::integer AS n,
    CASE
        WHEN answered.same THEN 'answered'
        WHEN answered.n IS NOT NULL THEN 'key-reused'
        WHEN told.outcome = 'unknown' OR claimed.key IS NOT NULL THEN told.outcome
        ELSE 'again'
    END AS outcome,
    coalesce(answered.status, told.status) AS status,
    coalesce(answered.answer, told.answer) AS answer
FROM asked
LEFT JOIN answered USING (n)
LEFT JOIN told USING (n)
LEFT JOIN claimed ON claimed.key = asked.key
ORDER BY asked.n
