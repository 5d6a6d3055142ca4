-- Rows for the source, with the values that get lost first.
SET search_path = "user", public;
INSERT INTO "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüx" SELECT generate_series(1, 10);
INSERT INTO "ääääääääääääääääääääääääääääääää" SELECT generate_series(1, 10);
INSERT INTO "table" SELECT g, 'from ' || g, 'u', -g, '{"b": 1,  "a": [1, null]}', ':tag', ':''tag''' FROM generate_series(1, 100) g;
INSERT INTO "Sch""éma \ $$ 'it' :'tag' select"."Ta""ble \ $$ 'x' :tag ☃
two" SELECT g, E'$1 \\ '' " :tag \t \n' || g, 'größe', 'it''s' FROM generate_series(1, 50) g;
INSERT INTO "UPPER" ("Value") SELECT NULL FROM generate_series(1, 20);
INSERT INTO kinds (id) VALUES (-9223372036854775808), (9223372036854775807);
INSERT INTO kinds VALUES
  (1, 'NaN', 'NaN', 'NaN', 'NaN', 'infinity', '-infinity', 'infinity', '24:00', '23:59:59.999999+14', '-1 year -2 mons +3 days -04:05:06.789',
   '\x00ff5c27', '{"a": 1, "a": 2}', '{"a": 1.50, "z": null}', '<a>&lt;b/&gt;</a>', '{a,NULL,"NULL","",",","\"\\"}', '{{1,2},{3,NULL}}', '{NaN,Infinity}',
   'ffffffff-ffff-ffff-ffff-ffffffffffff', '::ffff:1.2.3.4/96', '10.0.0.0/8', '08:00:2b:01:02:03:04:05', '10101', '', 'abc', 'ü', 'n', 'a:1A b:2', 'a & !b',
   '[1,10)', '{[1,2),(3.5,)}', 'empty', 'NaN', '', '{a,"B b"}', '(1,"a,b",a)', '{"(1,\"x y\",)"}', '(5,,)', 'CiTeXt', 'a=>1,b=>NULL', '-1234567.89', '(1e300,-0)',
   '((0,0),(1,1),(1,0))', 'FFFFFFFF/FFFFFFFF', NULL, 4294967295, 'pg_class', 'x', '$.a[*] ? (@ > 1)'),
  (2, 'Infinity', 0, 'Infinity', '-Infinity', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999+00', '4713-11-24 BC', '00:00', '00:00-15:59', '178000000 years',
   '', 'null', 'null', NULL, '{}', '{}', '{}', '00000000-0000-0000-0000-000000000000', '0.0.0.0', '::/0', 'ff:ff:ff:ff:ff:ff:ff:ff', '00000', '1', '', '', '', '', '',
   'empty', '{}', '(,)', 0, 'ü', '{}', '(,,)', '{}', '(1,"""",ü)', '', '', 0, '(NaN,Infinity)', '((0,0))', '0/0', true, 0, NULL, '', '$'),
  (3, '-Infinity', 1.0, '1e-45', '5e-324', 'epoch', '1970-01-01 00:00:00.000001+00', '1582-10-15', '12:00:00.000001', '12:00+00', '00:00:00.000001',
   '\xdeadbeef', '[]', '{"": ""}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '       ', ' ', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, 1, NULL, NULL, NULL),
  (4, 1e1000, 0.1, 0.1, 0.1, now(), now(), now(), now(), now(), '1 mon', NULL, NULL, jsonb_build_object('n', 1e100::numeric), NULL, NULL, NULL, '{1.10,1.1}', NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1.10000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO keys_num SELECT g / 3.0, now() + g * interval '1 second' FROM generate_series(1, 60) g;
INSERT INTO keys_num VALUES ('NaN', 'infinity'), ('Infinity', '-infinity'), ('-Infinity', now()), (1.0, 'epoch'), (2, 'epoch');
INSERT INTO keys_text SELECT chr(64 + g % 26) || g || 'ß', 'v' FROM generate_series(1, 80) g;
INSERT INTO keys_plain SELECT md5(g::text), 'infinity' FROM generate_series(1, 80) g;
INSERT INTO keys_bytes SELECT decode(md5(g::text), 'hex'), g FROM generate_series(1, 80) g;
INSERT INTO keys_enum VALUES ('a', 1), ('', 2), ('ü', 3);
INSERT INTO keys_composite VALUES ('(1,x,a)', 1), ('(1,"x,""y",)', 2);
INSERT INTO keys_float VALUES ('NaN', 'NaN'), ('Infinity', 0), (-0.0, -0.0), (0.1, 0.1), (5e-324, 1e-45);
INSERT INTO keys_range VALUES ('[1,2)'), ('[5,)'), ('(,0)');
INSERT INTO generated SELECT g, g, g / 2.0 FROM generate_series(1, 50) g;
INSERT INTO identities (v) SELECT 'v' FROM generate_series(1, 10);
INSERT INTO serials SELECT FROM generate_series(1, 5);
INSERT INTO toasted SELECT g, repeat('ü☃' || g, 200000), decode(repeat(md5(g::text), 20000), 'hex'), jsonb_build_object('k', repeat('x', 100000)) FROM generate_series(1, 3) g;
INSERT INTO wide (id, c1, c1590) VALUES (1, 1, 1), (2, NULL, 3);
INSERT INTO identity_full VALUES (1, 'x', 1.0), (1, 'x', 1.0), (1, 'x', 1.00), (NULL, NULL, NULL);
INSERT INTO identity_index VALUES (1, 'b', 'c'), (1, 'c', NULL);
INSERT INTO no_columns SELECT FROM generate_series(1, 3);
INSERT INTO dropped (id, v) VALUES (1, 'x'), (2, NULL);
BEGIN; INSERT INTO children SELECT g, g, g FROM generate_series(1, 20) g; INSERT INTO parents SELECT g, g FROM generate_series(1, 20) g; COMMIT;
INSERT INTO nulls VALUES (1, NULL), (2, 2);
INSERT INTO events (day, kind, note) SELECT '2026-01-10'::date + g, CASE g % 3 WHEN 0 THEN 'a' ELSE 'k' || g END, 'n' || g FROM generate_series(1, 90) g;
INSERT INTO animals VALUES (1, 'some'); INSERT INTO dogs VALUES (1, 'rex', true); INSERT INTO puppies VALUES (1, 'bello', false, 1), (2, NULL, NULL, NULL);
SELECT nextval('"se""q :''tag'' \ $$"'), nextval('going_down'), nextval('going_down'), nextval('at_the_end'), nextval('at_the_end'), nextval('cached');
SELECT nextval('round_and_round') FROM generate_series(1, 4);
SELECT setval('going_down', -9223372036854775808);
INSERT INTO touched (id, v) SELECT g, 'v' FROM generate_series(1, 10) g;
INSERT INTO counts VALUES (1, 0); INSERT INTO counted SELECT g FROM generate_series(1, 10) g;
INSERT INTO secret VALUES (1, 'orders_app'), (2, 'nobody');
REFRESH MATERIALIZED VIEW "mat ""view"; REFRESH MATERIALIZED VIEW on_top;
CREATE PUBLICATION "their ""own" FOR ALL TABLES;
RESET search_path;
