-- What the application does after the copy: these changes are applied, not copied.
SET search_path = "user", public;
UPDATE "Sch""éma \ $$ 'it' :'tag' select"."Ta""ble \ $$ 'x' :tag ☃
two" SET "größe ☃" = 'kleiner ☃' WHERE "Id \ "" :'x'" < 10;
DELETE FROM "table" WHERE "select" % 3 = 0;
UPDATE "table" SET "select" = "select" + 1000, ":'tag'" = NULL WHERE "select" % 5 = 0;
UPDATE kinds SET num = '-Infinity', ts = '-infinity', a = '{NULL}', co = '(9,"q""q",ü)', mr = '{(,)}' WHERE id IN (1, 2);
UPDATE toasted SET id = id + 100 WHERE id = 1;
UPDATE toasted SET doc = '{}' WHERE id = 2;
UPDATE keys_num SET z = 'epoch' WHERE k > 10 AND k <> 'NaN';
UPDATE keys_composite SET v = 7 WHERE v = 2;
DELETE FROM keys_float WHERE k = 'NaN';
UPDATE keys_text SET v = k;
UPDATE generated SET w = w + 1 WHERE id < 5;
UPDATE identity_full SET b = 'y' WHERE a = 1 AND c = 1.00;
DELETE FROM identity_full WHERE a IS NULL;
UPDATE identity_index SET c = 'changed', a = 5 WHERE b = 'b';
UPDATE events SET day = day + 31 WHERE kind = 'a';
DELETE FROM events WHERE id % 7 = 0;
UPDATE ONLY animals SET name = 'other'; UPDATE puppies SET age = 9; DELETE FROM dogs WHERE name = 'rex';
BEGIN; DELETE FROM parents WHERE id > 15; DELETE FROM children WHERE id > 15; UPDATE children SET rank = 16 - rank; COMMIT;
INSERT INTO identities (v) VALUES ('later'); INSERT INTO counted VALUES (77); INSERT INTO touched (id, v) VALUES (78, 'x');
UPDATE wide SET c800 = 1; TRUNCATE serials RESTART IDENTITY; INSERT INTO serials SELECT FROM generate_series(1, 3);
INSERT INTO empty VALUES (1); INSERT INTO no_columns DEFAULT VALUES; INSERT INTO secret VALUES (3, 'x');
SELECT nextval('untouched'), nextval('cached');
RESET search_path;
