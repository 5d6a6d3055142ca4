-- Rows for the demo application, :size of them in all the tables together, about 400 bytes a row with its indexes.
SET synchronous_commit = off;
SET client_min_messages = warning;

INSERT INTO customers (email, name, tags, preferences, joined_on)
SELECT 'customer-' || i || '@Example.com', 'Customer ' || md5(i::text), ARRAY['tag-' || i % 7, 'é,"quoted"'],
  jsonb_build_object('newsletter', i % 2 = 0, 'note', repeat(md5(i::text), 6)), date '2025-01-01' + i % 600
FROM generate_series(1, greatest(100, :size * 5 / 100)) AS i;

INSERT INTO products (sku, name, price, picture, attributes)
SELECT 'SKU-' || i, 'Product ' || i, 100 + i % 9900,
  (SELECT string_agg(sha256((i || '/' || part)::bytea), ''::bytea) FROM generate_series(1, 128) AS part),
  json_build_object('weight', i % 50, 'colour', (ARRAY['red', 'green', 'blue'])[1 + i % 3])
FROM generate_series(1, greatest(20, :size / 200)) AS i;

INSERT INTO orders (number, customer_id, state, total, note, placed_at)
SELECT nextval('order_numbers'), 1 + i % greatest(100, :size * 5 / 100), (ARRAY['placed', 'paid', 'shipped', 'cancelled'])[1 + i % 4]::order_state,
  100 + i % 90000, repeat(md5(i::text), 8), timestamptz '2025-06-01 00:00Z' + i * interval '1 minute'
FROM generate_series(1, greatest(50, :size * 30 / 100)) AS i;

INSERT INTO order_lines (order_id, line, product_id, quantity, price)
SELECT 1 + i % greatest(50, :size * 30 / 100), 1 + i / greatest(50, :size * 30 / 100), 1 + i % greatest(20, :size / 200), 1 + i % 5, 100 + i % 9900
FROM generate_series(0, greatest(50, :size * 42 / 100)) AS i;

INSERT INTO stock_movements (product_id, quantity, moved_at)
SELECT 1 + i % greatest(20, :size / 200), i % 21 - 10, timestamptz '2025-06-01 00:00Z' + i * interval '5 minutes'
FROM generate_series(1, greatest(50, :size * 8 / 100)) AS i;

INSERT INTO order_events (order_id, kind, payload, happened_at)
SELECT 1 + i % greatest(50, :size * 30 / 100), (ARRAY['placed', 'paid', 'mailed'])[1 + i % 3], jsonb_build_object('text', repeat(md5(i::text), 10)),
  timestamptz '2024-12-01 00:00Z' + i * interval '30 minutes'
FROM generate_series(1, greatest(50, :size * 14 / 100)) AS i;

INSERT INTO billing.credit_notes (order_id, amount)
SELECT i, i * 1.5 FROM generate_series(1, greatest(10, :size / 200)) AS i;

REFRESH MATERIALIZED VIEW sales_by_day;
ANALYZE;
